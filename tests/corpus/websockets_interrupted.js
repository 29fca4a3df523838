// by chance: ws_session_duration
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export const options = { scenarios: { s: { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration: '1s', gracefulStop: '0s' } } };

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo?id=${__ENV.RUN}`);
  ws.onopen = () => { console.log('open'); ws.send('x'); };
  ws.onmessage = () => console.log('message');
  ws.onclose = () => console.log('never');
  setTimeout(() => console.log('never'), 20000);
  setInterval(() => console.log('never'), 20000);
}

export function teardown() {
  const seen = new WebSocket(`${__ENV.WS_URL}/seen?id=${__ENV.RUN}`);
  seen.onmessage = (e) => console.log(`the server saw ${e.data}`);
}
