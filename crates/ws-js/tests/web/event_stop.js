const target = new EventTarget();
target.addEventListener('x', (e) => { log('one'); e.stopPropagation(); });
target.addEventListener('x', (e) => { log('two', e.cancelBubble); e.stopImmediatePropagation(); });
target.addEventListener('x', () => log('three'));
target.dispatchEvent(new Event('x'));
target.dispatchEvent(new Event('x'));
