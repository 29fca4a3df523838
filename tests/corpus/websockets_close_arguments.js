// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

const calls = [
  [], [1000], [3000, 'why'], [4999], [0], [undefined, 'reason'], [null], ['abc'], ['3001', 5], [3000.9], [1001], [2999],
  [5000], [-1], [1005], [3000, 'x'.repeat(123)], [3000, 'é'.repeat(62)], [3000, null], [NaN], [{}], [1000, ''],
];

export default function () {
  const args = calls[__ITER];
  const id = `${__ENV.RUN}-${__ITER}`;
  const ws = new WebSocket(`${__ENV.WS_URL}/echo?id=${id}`);
  ws.onopen = () => {
    try {
      ws.close(...args);
      console.log(`close(${args}): state ${ws.readyState}`);
    } catch (e) {
      console.log(`close(${args}): ${e.name} ${e.message}, state ${ws.readyState}`);
      ws.close();
    }
  };
  ws.onerror = (e) => console.log(`error ${e.error}`);
  ws.onclose = (e) => {
    console.log(`close ${e.code} '${e.reason}'`);
    const seen = new WebSocket(`${__ENV.WS_URL}/seen?id=${id}`);
    seen.onmessage = (e) => console.log(`the server saw ${e.data}`);
  };
}
export const options = { iterations: 21 };
