import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/utf8`, null, (socket) => {
    let n = 0;
    socket.on('message', (data) => {
      n += 1;
      console.log(Array.from(data, (c) => c.codePointAt(0).toString(16)).join(' '));
      if (n === 1) socket.send('\u00e9\u4e2d\u{1f40a}\u0000\n');
      if (n === 2) socket.send('\ud800\udc00 \udfff');
      if (n === 3) socket.close();
    });
  });
}
