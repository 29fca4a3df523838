const target = new EventTarget();
log(caught(() => target.addEventListener('x')), caught(() => target.dispatchEvent()), caught(() => target.dispatchEvent({ type: 'x' })));
log(caught(() => target.removeEventListener('x')), caught(() => EventTarget()), caught(() => target.dispatchEvent(null)));
log(caught(() => EventTarget.prototype.addEventListener.call({}, 'x', () => {})));
log(Object.keys(EventTarget.prototype).join(), String(target));
