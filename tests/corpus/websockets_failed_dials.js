// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

// Where k6 has no close code, this tool says 1006.
const code = (e) => (e.code === 1006 && e.reason === '' ? undefined : e.code);

// What stands behind k6's text is checked in tests/handshakes.rs.
const k6Says = (text) => text.replace(/(websocket: bad handshake|malformed ws or wss URL): .*/, '$1');

const cases = [
  ['refused', 'ws://127.0.0.1:1/'], ['status', `${__ENV.WS_URL}/status/404`], ['redirect', `${__ENV.WS_URL}/status/302`],
  ['garbage', `${__ENV.WS_URL}/garbage`], ['drop', `${__ENV.WS_URL}/drop`], ['badaccept', `${__ENV.WS_URL}/badaccept`],
  ['badext', `${__ENV.WS_URL}/badext`],
  ['reserved', `${__ENV.WS_URL}/echo`, null, { headers: { Upgrade: 'x' } }],
  ['protocol header', `${__ENV.WS_URL}/echo`, 'a', { headers: { 'Sec-WebSocket-Protocol': 'x' } }],
];
export const options = { iterations: cases.length };

export default function () {
  const [name, ...args] = cases[__ITER];
  const ws = new WebSocket(...args);
  ws.onopen = () => console.log(`${name}: open`);
  ws.onerror = (e) => console.log(`${name}: error '${k6Says(e.error)}' ${typeof e.error} state ${ws.readyState}`);
  ws.onclose = (e) => console.log(`${name}: close ${code(e)} '${e.reason}' state ${ws.readyState}`);
}
