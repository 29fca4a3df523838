// drop: k6/experimental/websockets is deprecated
import blocking from 'k6/ws';
import { WebSocket } from 'k6/experimental/websockets';

// A socket made in a handler of ws.connect has its turn when that is over.
export default function () {
  const url = `${__ENV.WS_URL}/echo`;
  let ws;
  const res = blocking.connect(url, { tags: { name: 'blocking' } }, (socket) => {
    socket.on('open', () => {
      ws = new WebSocket(url, null, { tags: { name: 'in the background' } });
      ws.onopen = () => { console.log('open'); ws.send('from the second'); };
      ws.onmessage = (e) => { console.log(e.data); ws.close(); };
      ws.onclose = () => console.log('the second is closed');
      socket.send('from the first');
    });
    socket.on('message', (data) => { console.log(data); socket.close(); });
    socket.on('close', () => console.log('the first is closed'));
  });
  console.log(`connect returns ${res.status}, the other is ${ws.readyState}`);
}
