import ws from 'k6/ws';

export default function () {
  Promise.resolve().then(() => console.log('promise before connect'));
  ws.connect(`${__ENV.WS_URL}/echo`, null, async (socket) => {
    console.log('callback');
    socket.on('open', async () => {
      console.log('open starts');
      socket.send('x');
      await null;
      console.log('open continues');
    });
    socket.on('message', () => {
      Promise.resolve().then(() => console.log('promise in message'));
      console.log('message');
      socket.close();
    });
    await null;
    console.log('callback continues');
  });
  console.log('connect returned');
}
