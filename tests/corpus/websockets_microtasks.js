// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default async function () {
  const say = (text) => console.log(text);
  const ws = new WebSocket(`${__ENV.WS_URL}/burst?n=2`);
  const after = (text) => Promise.resolve().then(() => { say(`${text}, 1`); return Promise.resolve(); }).then(() => say(`${text}, nested`));
  ws.onopen = () => { say('open'); after('reaction to open'); };
  ws.addEventListener('message', (e) => { say(`message ${e.data}, first`); after(`first ${e.data}`); });
  ws.addEventListener('message', (e) => say(`message ${e.data}, second`));
  ws.onclose = async () => {
    say('close');
    await null;
    say('after close');
    setTimeout(() => { say('timer 1'); after('timer 1'); }, 10);
    setTimeout(() => { say('timer 2'); after('timer 2'); }, 10);
    setTimeout(() => say('timer 3'), 10);
  };
  say('default');
  await null;
  say('default, after await');
  await after('default');
  say('default returns');
}
