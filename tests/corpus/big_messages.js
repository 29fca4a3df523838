import ws from 'k6/ws';

const sizes = [125, 126, 4096, 4097, 65535, 65536, 1000000];

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    let n = 0;
    socket.on('open', () => socket.send('x'.repeat(sizes[0])));
    socket.on('message', (data) => {
      console.log(`${data.length} ${data.length === sizes[n]}`);
      n += 1;
      if (n === sizes.length) socket.close(); else socket.send('x'.repeat(sizes[n]));
    });
  });
}
