import ws from 'k6/ws';
import { sleep } from 'k6';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => {
      socket.send('x');
      const before = Date.now();
      sleep(0.2);
      console.log(`slept ${Date.now() - before >= 199}`);
    });
    socket.on('message', () => { console.log('message after the sleep'); socket.close(); });
  });
}
