import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/fragments`, null, (socket) => {
    socket.on('ping', () => console.log('ping'));
    socket.on('message', (data) => { console.log(data); socket.close(); });
  });
}
