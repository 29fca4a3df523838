// since: 2.2.0
// Loopback counts as secure since Go 1.26.
import ws from 'k6/ws';

export default function () {
  for (let i = 0; i < 2; i++) {
    ws.connect(`${__ENV.WS_URL}/cookie?s=1;Path=/;Secure`, null, (socket) => {
      socket.on('message', (head) => {
        console.log(head.split('\n').filter((line) => line.startsWith('Cookie')).join() || 'none');
        socket.close();
      });
    });
  }
}
