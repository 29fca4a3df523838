// args: --iterations 2
import ws from 'k6/ws';

export const options = { noCookiesReset: true };

export default function () {
  ws.connect(`${__ENV.WS_URL}/cookie?iteration=${__ITER};Path=/`, null, (socket) => {
    socket.on('message', (head) => {
      console.log(head.split('\n').filter((line) => line.startsWith('Cookie')).join() || 'none');
      socket.close();
    });
  });
}
