class Mine extends DOMException {
  constructor(text) { super(text, 'MineError'); }
  get extra() { return this.message + '!'; }
}
const mine = new Mine('m');
log(mine instanceof Mine, mine instanceof DOMException, mine.name, mine.extra, String(mine));
log(caught(() => DOMException.prototype.name));
try { throw new DOMException('thrown', 'NetworkError'); } catch ({ name, message, code }) { log(name, message, code); }
