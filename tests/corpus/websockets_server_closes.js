// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
// drop: error websocket: close sent
// drop: /rst: error read tcp
import { WebSocket } from 'k6/experimental/websockets';

// Where k6 has no close code, this tool says 1006.
const code = (e) => (e.code === 1006 && e.reason === '' ? undefined : e.code);

const paths = [
  '/close/1000', '/close/1001?reason=away', '/close/1011?reason=oops', '/close/4000?reason=x', '/close/3001', '/close-nocode',
  '/fin', '/violation/rsv1', '/violation/opcode', '/violation/close-code', '/rst',
];
export const options = { iterations: paths.length };

export default function () {
  const path = paths[__ITER];
  const id = `${__ENV.RUN}-${__ITER}`;
  const ws = new WebSocket(`${__ENV.WS_URL}${path}${path.includes('?') ? '&' : '?'}id=${id}`);
  const say = (text) => console.log(`${path}: ${text}`);
  ws.onopen = () => { say('open'); if (path === '/rst') ws.send('x'); };
  ws.onerror = (e) => say(`error ${e.error} state ${ws.readyState} ${Object.keys(e)}`);
  ws.onclose = (e) => {
    say(`close ${code(e)} '${e.reason}' state ${ws.readyState}`);
    const seen = new WebSocket(`${__ENV.WS_URL}/seen?id=${id}`);
    seen.onmessage = (e) => say(`the server saw ${e.data}`);
  };
}
