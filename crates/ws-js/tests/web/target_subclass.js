class Mine extends EventTarget {
  fire(type) { return this.dispatchEvent(new Event(type)); }
}
const mine = new Mine();
mine.addEventListener('x', (e) => log(e.target === mine, e.target instanceof Mine));
log(mine.fire('x'));
