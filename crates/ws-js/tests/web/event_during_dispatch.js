const target = new EventTarget();
target.addEventListener('x', function (e) {
  log(this === target, e.target === target, e.currentTarget === target, e.srcElement === target, e.eventPhase);
  log(e.composedPath().length, e.composedPath()[0] === target);
  log(caught(() => target.dispatchEvent(e)));
});
const e = new Event('x');
target.dispatchEvent(e);
log(e.target === target, e.currentTarget, e.eventPhase, e.composedPath().length);
target.dispatchEvent(e);
