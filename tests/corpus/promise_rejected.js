// args: --iterations 2
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', async () => { socket.send('x'); throw new Error('rejected'); });
    socket.on('message', () => { console.log('message'); socket.close(); });
  });
  console.log('connect returned');
}
