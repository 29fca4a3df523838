// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';
import blocking from 'k6/ws';
import { sleep } from 'k6';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/burst?n=3`);
  ws.onopen = () => { console.log('open'); sleep(0.2); console.log('slept'); };
  ws.onmessage = (e) => {
    console.log(`message ${e.data}`);
    setTimeout(() => console.log(`after ${e.data}`), 0);
    if (e.data === '1') {
      blocking.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
        socket.on('open', () => socket.send('x'));
        socket.on('message', () => { console.log('blocking message'); Promise.resolve().then(() => console.log('reaction')); socket.close(); });
      });
      console.log('blocking is over');
    }
  };
  ws.onclose = () => console.log('close');
  sleep(0.3);
  console.log('default returns');
}
