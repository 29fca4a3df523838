// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

const kinds = ['in open', 'in message', 'from a timer', 'by the server', 'while connecting'];
export const options = { iterations: kinds.length };

export default function () {
  const kind = kinds[__ITER];
  const say = (text) => console.log(`${kind}: ${text} ${ws.readyState}`);
  const ws = new WebSocket(`${__ENV.WS_URL}${kind === 'by the server' ? '/close/1000' : '/echo'}`);
  say('new');
  const close = () => { ws.close(); say('close()'); };
  ws.onopen = () => {
    say('open');
    if (kind === 'in open') close();
    if (kind === 'in message') ws.send('x');
    if (kind === 'from a timer') setTimeout(close, 10);
  };
  ws.onmessage = () => { say('message'); close(); };
  ws.onerror = () => say('error');
  ws.onclose = () => { say('closed'); ws.onclose = () => say('never'); ws.close(); };
  if (kind === 'while connecting') close();
}
