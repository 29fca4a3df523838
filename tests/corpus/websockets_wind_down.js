// without k6: chance decides there which samples of a socket get out before its iteration has failed
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

// Where k6 has no close code, this tool says 1006.
const code = (e) => (e.code === 1006 && e.reason === '' ? undefined : e.code);

const kinds = ['timer', 'rejection', 'handler', 'main', 'connecting'];
export const options = { iterations: kinds.length };

export default function () {
  const kind = kinds[__ITER];
  const say = (text) => console.log(`${kind}: ${text}`);
  const boom = () => { throw new Error(`boom in ${kind}`); };
  const first = new WebSocket(`${__ENV.WS_URL}/echo`);
  const go = () => {
    setTimeout(() => say('never'), 5000);
    setInterval(() => say('never'), 6000);
    if (kind === 'timer') setTimeout(boom, 10);
    if (kind === 'rejection') Promise.reject(new Error('no'));
    if (kind === 'handler') first.send('x');
    if (kind === 'connecting') {
      const late = new WebSocket(`${__ENV.WS_URL}/stall`);
      late.onopen = () => say('late open');
      late.onerror = (e) => say(`late error ${e.error.split(' at ')[0]}`);
      late.onclose = (e) => say(`late close ${code(e)}`);
      boom();
    }
  };
  first.onmessage = boom;
  first.onopen = () => { say('open'); go(); };
  first.onerror = (e) => say(`error ${e.error.split(' at ')[0]}`);
  first.onclose = (e) => {
    say(`close ${code(e)} '${e.reason}' ${first.readyState}`);
    if (kind === 'connecting') return;
    const another = new WebSocket(`${__ENV.WS_URL}/echo`);
    another.onopen = () => say('another open');
    another.onerror = (e) => say(`another error ${e.error.split(' at ')[0]}`);
    another.onclose = (e) => say(`another close ${code(e)}`);
  };
  if (kind === 'main') boom();
}
