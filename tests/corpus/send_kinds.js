import ws from 'k6/ws';

class Named { toString() { return 'its own text'; } }
const values = [
  'plain', '', 'ünïcödé ✓ 🐊', 'lone \ud800 surrogate', 42, 1.5, -0, 1e21, NaN, true, false, null, undefined,
  { a: 1 }, [1, 2], [], new ArrayBuffer(2), new Uint8Array([65, 66]), new Named(), Symbol('x'), 10n, () => 1,
];

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    let left = values.length + 1;
    socket.on('open', () => {
      for (const value of values) socket.send(value);
      socket.send();
    });
    socket.on('message', (data) => {
      console.log(`${data.length} ${data}`);
      if (--left === 0) socket.close();
    });
  });
}
