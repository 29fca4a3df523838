const buffer = new Uint8Array([1, 2, 3]).buffer;
const copy = structuredClone({ buffer }, { transfer: [buffer] });
log(buffer.byteLength, copy.buffer.byteLength, new Uint8Array(copy.buffer).join());
log(caught(() => structuredClone(1, { transfer: [buffer] })), caught(() => structuredClone(1, { transfer: [{}] })));
const twice = new ArrayBuffer(1);
log(caught(() => structuredClone(1, { transfer: [twice, twice] })), twice.byteLength);
