// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

const closes = [
  [1000, 'bye'], [1001, ''], [1002, 'r'], [1003, 'r'], [1007, 'r'], [1008, 'r'], [1009, 'r'], [1010, 'r'], [1011, 'r'],
  [1012, 'r'], [1013, 'r'], [3000, 'gr%C3%BCn'], [3999, 'x'.repeat(123)], [4999, ''],
];
export const options = { iterations: closes.length };

export default function () {
  const [code, reason] = closes[__ITER];
  const ws = new WebSocket(`${__ENV.WS_URL}/close/${code}?reason=${reason}`);
  ws.onerror = (e) => console.log(`error ${e.error}`);
  ws.onclose = (e) => console.log(`${code}: ${e.code} '${e.reason}' ${ws.readyState}`);
}
