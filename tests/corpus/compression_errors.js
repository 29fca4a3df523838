import ws from 'k6/ws';

export default function () {
  for (const compression of ['gzip', 'Deflate', 'deflate, gzip', null, undefined, 5, '', '  ']) {
    try {
      const res = ws.connect(`${__ENV.WS_URL}/echo`, { compression }, (socket) => socket.close());
      console.log(`${compression}: ${res.status}`);
    } catch (e) {
      console.log(`${compression}: ${e.message}`);
    }
  }
}
