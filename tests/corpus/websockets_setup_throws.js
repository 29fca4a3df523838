// by chance: ws_msgs_sent ws_session_duration
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export function setup() {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.onopen = () => ws.send('x');
  ws.onmessage = () => { throw new Error('in a handler of setup'); };
  ws.onclose = () => console.log('closed');
}

export default function () {
  console.log('never');
}

export function teardown() {
  console.log('never, too');
}
