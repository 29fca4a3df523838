// Handlers that come late, unknown events, and things that are no handlers.
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    let n = 0;
    socket.on('Open', () => console.log('wrong case'));
    socket.on('nonsense', () => console.log('unknown'));
    socket.on('open', null);
    socket.on('open', 'text');
    socket.on('open', function () {
      console.log(`this is ${this}, ${arguments.length} arguments`);
      socket.on('open', () => console.log('open again'));
      socket.send('x');
    });
    socket.on('message', () => {
      n += 1;
      const which = n;
      console.log(`message ${n}`);
      socket.on('message', () => console.log(`added at ${which}`));
      if (n === 3) socket.close(); else socket.send('x');
    });
  });
}
