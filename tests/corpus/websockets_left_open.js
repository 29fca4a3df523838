// by chance: ws_session_duration
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export const options = { scenarios: { s: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '500ms' } } };

// The function is over at once; the socket keeps the iteration alive until it is interrupted.
export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.onopen = () => { console.log('open'); ws.send('x'); };
  ws.onmessage = (e) => console.log(`message ${e.data}`);
  ws.onerror = () => console.log('never');
  ws.onclose = () => console.log('never');
  console.log('default returns');
}

export function teardown() {
  console.log('teardown');
}
