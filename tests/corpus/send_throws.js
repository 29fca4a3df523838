import ws from 'k6/ws';

export default function () {
  const mine = new Error('from toString');
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => {
      try {
        socket.send({ toString() { throw mine; } });
      } catch (e) {
        console.log(`caught ${e === mine}`);
      }
      socket.close();
    });
  });
}
