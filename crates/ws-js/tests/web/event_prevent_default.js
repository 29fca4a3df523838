const target = new EventTarget();
target.addEventListener('x', (e) => e.preventDefault());
log(target.dispatchEvent(new Event('x')), target.dispatchEvent(new Event('x', { cancelable: true })));
const e = new Event('x', { cancelable: true });
e.returnValue = false;
log(e.defaultPrevented, e.returnValue, target.dispatchEvent(e));
target.addEventListener('p', (e) => e.preventDefault(), { passive: true });
log(target.dispatchEvent(new Event('p', { cancelable: true })));
