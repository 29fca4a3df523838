const target = new EventTarget();
const late = () => log('late');
const gone = () => log('gone');
target.addEventListener('x', () => { log('first'); target.addEventListener('x', late); target.removeEventListener('x', gone); });
target.addEventListener('x', gone);
target.dispatchEvent(new Event('x'));
log('--');
target.dispatchEvent(new Event('x'));
