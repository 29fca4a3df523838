// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

function attempt(name, ...args) {
  try {
    const ws = new WebSocket(...args);
    ws.onopen = () => { console.log(`${name}: open`); ws.close(); };
    ws.onerror = (e) => console.log(`${name}: error ${e.error}`);
  } catch (e) {
    console.log(`${name}: ${e.name} ${e.message}`);
  }
}

const url = `${__ENV.WS_URL}/echo`;
// One at a time, for events in one order.
const cases = [
  ['url before params', 'http://127.0.0.1', null, { timeout: 1 }],
  ['fragment before params', `${url}#x`, null, { compression: 'x' }],
  ['tags first', url, null, { tags: { a: [] }, compression: 'x', b: 1 }],
  ['compression first', url, null, { compression: 'x', tags: { a: [] } }],
  ['unknown first', url, null, { b: 1, compression: 'x', tags: { a: [] } }],
  ['compression undefined', url, null, { compression: undefined }],
  ['compression blank', url, null, { compression: '  ' }],
  ['compression case', url, null, { compression: 'Deflate' }],
  ['compression padded', url, null, { compression: ' deflate ' }],
  ['tag function', url, null, { tags: { a: () => 1 } }],
  ['tag null', url, null, { tags: null }],
  ['headers null', url, null, { headers: null }],
  ['nothing', url, null, null],
  ['undefined', url, undefined, undefined],
  ['number', url, null, 7],
  ['empty array', url, null, []],
  ['array', url, null, ['x']],
];
export const options = { iterations: cases.length };

export default function () {
  attempt(...cases[__ITER]);
}
