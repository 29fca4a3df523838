// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  const second = (e) => {
    console.log(`second ${e.data}`);
    ws.onmessage = null;
  };
  ws.addEventListener('message', (e) => {
    console.log(`added ${e.data}`);
    if (e.data === 'c') {
      // Set within the same event, which is over for it.
      ws.onmessage = (e) => { console.log(`third ${e.data}`); ws.onmessage = undefined; ws.close(); };
      ws.send('d');
    }
  });
  ws.onmessage = () => console.log('replaced before it was called');
  ws.onmessage = (e) => {
    console.log(`first ${e.data}`);
    ws.onmessage = second;
  };
  ws.onopen = () => {
    for (const text of ['a', 'b', 'c']) ws.send(text);
    ws.onopen = () => console.log('never');
    ws.onclose = (e) => console.log(`closed ${e.type} ${typeof ws.onclose}`);
  };
  ws.onclose = () => console.log('replaced');
}
