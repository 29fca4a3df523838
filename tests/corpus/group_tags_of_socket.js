// A socket keeps the group in which it was made.
import ws from 'k6/ws';
import { group, check } from 'k6';

export default function () {
  group('made here', () => {
    ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
      socket.on('open', () => group('sent here', () => socket.send('x')));
      socket.on('message', () => { check(1, { ok: true }); socket.close(); });
    });
  });
}
