const text = 'aé€😀b';
const bytes = new TextEncoder().encode(text);
for (const size of [1, 2, 3, 5]) {
  const decoder = new TextDecoder();
  let result = '';
  for (let at = 0; at < bytes.length; at += size) result += decoder.decode(bytes.subarray(at, at + size), { stream: true });
  log(size, result + decoder.decode() === text);
}
const decoder = new TextDecoder();
log(JSON.stringify(decoder.decode(new Uint8Array([0xE2, 0x82]), { stream: true })), JSON.stringify(decoder.decode()));
log(JSON.stringify([0xEF, 0xBB, 0xBF, 97].map((byte) => decoder.decode(new Uint8Array([byte]), { stream: true })).join('')));
log(JSON.stringify(decoder.decode(new Uint8Array([0xEF, 0xBB, 0xBF]))), JSON.stringify(decoder.decode(new Uint8Array([0xEF, 0xBB, 0xBF, 98]))));
