const detail = { a: 1 };
const e = new CustomEvent('x', { detail, cancelable: true });
log(e instanceof Event, e.detail === detail, e.cancelable, new CustomEvent('y').detail, String(e));
const target = new EventTarget();
target.addEventListener('x', (e) => log('got', e.detail.a));
target.dispatchEvent(e);
log(caught(() => new CustomEvent()));
