// drop: k6/experimental/websockets is deprecated
// by chance: ws_msgs_sent ws_session_duration
import { WebSocket } from 'k6/experimental/websockets';

const kinds = ['handled', 'handled later', 'open', 'message', 'value', 'nothing', 'chain'];
export const options = { iterations: kinds.length };

export default function () {
  const kind = kinds[__ITER];
  const say = (text) => console.log(`${kind}: ${text}`);
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.addEventListener('open', async () => {
    say('open');
    if (kind === 'open') throw new Error('no');
    ws.send('x');
  });
  ws.onmessage = async () => {
    say('message');
    if (kind === 'handled') {
      await Promise.reject(new Error('no')).catch((e) => say(`caught ${e.message}`));
    } else if (kind === 'handled later') {
      const rejected = Promise.reject(new Error('no'));
      await null;
      rejected.catch((e) => say(`caught ${e.message}`));
    } else if (kind === 'value') {
      Promise.reject('a value');
    } else if (kind === 'nothing') {
      Promise.reject();
    } else if (kind === 'chain') {
      Promise.resolve().then(() => { throw new TypeError('in a chain'); }).finally(() => say('finally'));
    } else {
      throw new RangeError('in a handler');
    }
    ws.close();
  };
  ws.onerror = () => say('never');
}
