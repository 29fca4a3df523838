const encoder = new TextEncoder();
const into = (text, size) => {
  const bytes = new Uint8Array(size).fill(7);
  const { read, written } = encoder.encodeInto(text, bytes);
  log(read, written, Array.from(bytes).join());
};
into('abc', 5);
into('abc', 2);
into('a€', 3);
into('a€', 4);
into('😀', 3);
into('😀😀', 5);
into('\ud800', 4);
into('', 1);
into('x', 0);
const view = new Uint8Array(6);
encoder.encodeInto('hi', view.subarray(2, 4));
log(Array.from(view).join());
log(caught(() => encoder.encodeInto('x')), caught(() => encoder.encodeInto('x', new Uint16Array(2))), caught(() => encoder.encodeInto('x', [])));
