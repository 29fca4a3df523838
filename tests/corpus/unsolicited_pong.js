import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/pong`, null, (socket) => {
    socket.on('pong', () => { console.log('pong'); socket.close(); });
  });
}
