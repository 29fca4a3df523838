import ws from 'k6/ws';
import { check } from 'k6';

export default function () {
  const res = ws.connect(__ENV.WS_URL, null, function (socket) {
    socket.on('open', () => socket.send('hello'));
    socket.on('message', (data) => { console.log(`received: ${data}`); socket.close(); });
  });
  check(res, { 'status is 101': (r) => r && r.status === 101 });
}
