const bytes = new Uint8Array(64);
log(crypto.getRandomValues(bytes) === bytes, new Set(bytes).size > 8);
for (const Kind of [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array]) {
  const array = crypto.getRandomValues(new Kind(16));
  log(Kind.name, new Set(array).size > 4);
}
const whole = new Uint8Array(64);
crypto.getRandomValues(whole.subarray(16, 48));
log(whole.subarray(0, 16).every((b) => b === 0), whole.subarray(48).every((b) => b === 0), whole.subarray(16, 48).some((b) => b !== 0));
log(caught(() => crypto.getRandomValues(new Float32Array(1))), caught(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1)))), caught(() => crypto.getRandomValues(new Uint8Array(65537))));
log(crypto.getRandomValues(new Uint8Array(65536)).length, crypto.getRandomValues(new Uint8Array(0)).length);
log(caught(() => crypto.getRandomValues()), caught(() => crypto.getRandomValues([1])));
