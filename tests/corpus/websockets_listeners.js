// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  const shared = [];
  const twice = () => console.log('twice');
  ws.addEventListener('message', (e) => { console.log('first added'); shared.push(e); });
  ws.addEventListener('message', twice);
  ws.addEventListener('message', twice);
  ws.addEventListener('message', function (...args) {
    console.log(`this ${this}, ${args.length} argument`);
    shared.push(args[0]);
    console.log(`one event ${shared[0] === shared[1]}`);
    ws.addEventListener('message', () => console.log('added late'));
    if (shared.length === 4) ws.close();
  });
  ws.onmessage = () => console.log('on, set last');
  const opens = [];
  ws.addEventListener('open', (e) => { opens.push(e); Promise.resolve().then(() => console.log('microtask')); });
  ws.addEventListener('open', (e) => { opens.push(e); console.log('second open listener'); });
  ws.onopen = () => { ws.send('a'); ws.send('b'); };
  ws.onclose = () => console.log('closed');
  ws.onclose = null;
  ws.addEventListener('close', async () => { await null; console.log('close listener goes on'); });
}
