// drop: k6/experimental/websockets is deprecated
// by chance: ws_msgs_sent ws_session_duration
import { WebSocket } from 'k6/experimental/websockets';

class Mine extends Error {}
const values = [new TypeError('type'), new Mine('mine'), 'text', 5, null, undefined, { a: 1 }];
export const options = { iterations: values.length };

export default function () {
  const value = values[__ITER];
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.onopen = () => ws.send('x');
  ws.onmessage = () => { throw value; };
  ws.onerror = (e) => console.log(`error ${typeof e.error} ${e.error.split(' at ')[0]} ${ws.readyState}`);
  ws.onclose = () => console.log(`closed ${ws.readyState}`);
}
