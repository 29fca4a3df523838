// since: 2.2.0
// by chance: ws_connecting ws_msgs_received ws_msgs_sent ws_session_duration ws_sessions
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

// Where k6 has no close code, this tool says 1006.
const code = (e) => (e.code === 1006 && e.reason === '' ? undefined : e.code);

const places = ['open', 'message', 'error', 'close', 'ping', 'pong'];
export const options = { iterations: places.length };

export default function () {
  const place = places[__ITER];
  const say = (text) => console.log(`${place}: ${text}`);
  const path = { ping: '/ping', pong: '/pong', error: '/close/1011' }[place] || '/echo';
  const ws = new WebSocket(`${__ENV.WS_URL}${path}`);
  const boom = () => { throw new Error(`boom in ${place}`); };
  ws.addEventListener(place, () => { say('throws'); boom(); });
  ws.addEventListener(place, () => say('never'));
  ws.addEventListener('open', () => { say('open'); if (path === '/echo') ws.send('x'); });
  // After an exception in `ping` or `pong` k6 may still deliver a message.
  ws.addEventListener('message', () => { if (path === '/echo') say('message'); ws.close(); });
  ws.addEventListener('error', (e) => say(`error ${e.error.split(' at ')[0]}`));
  ws.addEventListener('close', (e) => say(`close ${code(e)} '${e.reason}' ${ws.readyState}`));
}
