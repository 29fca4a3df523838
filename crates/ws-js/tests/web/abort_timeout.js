globalThis.setTimeout = () => log('not this one');
const signal = AbortSignal.timeout(1);
log(signal.aborted, caught(() => AbortSignal.timeout()), caught(() => AbortSignal.timeout(-1)), caught(() => AbortSignal.timeout('x')));
const event = await new Promise((resolve) => signal.addEventListener('abort', resolve));
log(event.target === signal, signal.aborted, signal.reason.name, signal.reason.code, signal.reason instanceof DOMException);
