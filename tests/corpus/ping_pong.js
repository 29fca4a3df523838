import ws from 'k6/ws';

export default function () {
  const id = `${__ENV.RUN}-ping`;
  ws.connect(`${__ENV.WS_URL}/echo?id=${id}`, null, (socket) => {
    let pongs = 0;
    socket.on('open', () => { socket.ping(); socket.ping(); socket.ping(); });
    socket.on('pong', (...args) => { pongs += 1; console.log(`pong ${pongs} ${args.length}`); });
    socket.on('pong', () => { if (pongs === 3) socket.close(); });
  });
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    socket.on('message', (frame) => console.log(`server saw ${frame}`));
  });
}
