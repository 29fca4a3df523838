import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => {
      console.log(`first ${socket.close(1000)}`);
      console.log(`second ${socket.close(3000)}`);
    });
    socket.on('close', (code) => console.log(`close ${code}`));
    socket.on('error', (e) => console.log(`error ${e.error()}`));
  });
}
