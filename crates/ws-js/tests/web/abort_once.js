let count = 0;
const controller = new AbortController();
controller.signal.addEventListener('abort', () => { count++; controller.abort(); });
controller.abort();
controller.abort();
log(count);
