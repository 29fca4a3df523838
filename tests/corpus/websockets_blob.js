// drop: k6/experimental/websockets is deprecated
// A named import of Blob is another class at every look in k6.
import websockets from 'k6/experimental/websockets';

const Blob = websockets.Blob;

function attempt(name, f) {
  try {
    console.log(`${name}: ${f()}`);
  } catch (e) {
    console.log(`${name}: ${e.name} ${e.message}`);
  }
}
const show = (blob) => `${blob.size} '${blob.type}' ${String(blob)}`;

export default async function () {
  const bytes = new Uint8Array([104, 105, 33, 63]);
  attempt('nothing', () => show(new Blob()));
  attempt('undefined', () => show(new Blob(undefined)));
  attempt('no parts', () => show(new Blob([], { type: 'Text/Plain' })));
  attempt('without new', () => show(Blob(['abc'], { type: 'x' })));
  attempt('text', () => show(new Blob(['é', '', '😀'])));
  attempt('buffer', () => show(new Blob([bytes.buffer, bytes])));
  attempt('wide', () => show(new Blob([new Uint16Array([1, 2]), new Float64Array(1)])));
  attempt('view', () => show(new Blob([new DataView(bytes.buffer)])));
  attempt('blobs', () => show(new Blob([new Blob(['ab']), new Blob(['c'])])));
  attempt('set', () => show(new Blob(new Set(['a', 'b']))));
  attempt('type', () => show(new Blob([], { type: 5 })));
  attempt('number', () => new Blob([1]));
  attempt('fraction', () => new Blob([1.5]));
  attempt('null part', () => new Blob([null]));
  attempt('object', () => new Blob([{}]));
  attempt('array', () => new Blob([['a']]));
  attempt('options text', () => new Blob([], 'text'));
  attempt('options null', () => new Blob([], null));
  attempt('instance', () => new Blob([]) instanceof Blob);
  attempt('json', () => JSON.stringify(new Blob(['abc'], { type: 't' })));

  const blob = new Blob(['grün, ', bytes, new Blob(['.'])], { type: 'mine' });
  console.log(await blob.text());
  console.log(`${new Uint8Array(await blob.arrayBuffer())}`);
  const read = await blob.bytes();
  console.log(`${read instanceof Uint8Array} ${read}`);
  for (const args of [[], [0, 3], [2], [6, -1], [3, 3], [1.7, 3.2], [7, 9, 'part']]) {
    const slice = blob.slice(...args);
    const text = (await slice.bytes()).join();
    console.log(`slice(${args}): ${slice.size} '${slice.type}' ${text}`);
  }
  console.log(await blob.text() === await blob.text());
}
