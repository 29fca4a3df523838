function user() { return new URL('nope'); }
try { user(); } catch (e) { log(e.stack.split('\n').map((line) => line.trim().replace(/\(?file:.*:(\d+):(\d+)\)?/, 'FILE')).join(' / ')); }
const target = new EventTarget();
target.addEventListener('x', function listener() { log(new Error('seen').stack.includes('ws:')); });
target.dispatchEvent(new Event('x'));
log(new DOMException('d').stack.includes('ws:'), new DOMException('d', 'N').stack.split('\n')[0]);
try { structuredClone(() => 1); } catch (e) { log(e.stack.includes('ws:'), e.stack.includes('file:')); }
