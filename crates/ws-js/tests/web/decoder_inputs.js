const decoder = new TextDecoder();
const bytes = new Uint8Array([65, 66, 67, 68]);
log(decoder.decode(bytes.buffer), decoder.decode(bytes.subarray(1, 3)), decoder.decode(new DataView(bytes.buffer, 2)), decoder.decode(new Uint16Array(bytes.buffer)));
log(caught(() => decoder.decode('x')), caught(() => decoder.decode({})), caught(() => TextDecoder()));
