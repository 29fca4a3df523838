// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

const cases = [
  ['a', {}], ['a, b', {}], ['', {}], [['x', 'y'], {}], [[null, 1, 'é'], {}], [null, { headers: { 'X-My-hEader': 'v', Origin: 'o' } }],
  [{ headers: { ignored: 1 } }, {}], [Object('c'), {}], [[], {}], [5, undefined], [true, null],
];
export const options = { iterations: cases.length };

export default function () {
  const [protocols, params] = cases[__ITER];
  const ws = new WebSocket(`${__ENV.WS_URL}/headers`, protocols, params);
  ws.onmessage = (e) => {
    const lines = e.data.split('\n').filter((line) => !line.startsWith('User-Agent'));
    console.log(lines.join(' | '));
    ws.close();
  };
  ws.onerror = (e) => console.log(`error ${e.error}`);
}
