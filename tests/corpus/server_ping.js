import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/ping?n=3`, null, (socket) => {
    socket.on('ping', (...args) => console.log(`ping ${args.length}`));
    socket.on('pong', () => console.log('pong'));
    socket.on('message', (text) => { console.log(text); socket.close(); });
  });
}
