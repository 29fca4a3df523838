const encoder = new TextEncoder();
log(encoder.encoding, String(encoder), encoder.encode().length);
for (const text of ['', 'abc', 'é€😀', '\ud800x', 'x\udc00', undefined, null, 5]) log(Array.from(encoder.encode(text)).join());
log(encoder.encode('x') instanceof Uint8Array, caught(() => TextEncoder()), caught(() => encoder.encode(Symbol())));
