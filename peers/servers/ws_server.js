// Node's ws (https://www.npmjs.com/package/ws), behaving as peers/src/lib.rs says.
// usage: ws_server.js HOST CERTIFICATE KEY
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const { WebSocketServer } = require('ws');

const [host, certificate, key] = process.argv.slice(2);

const sockets = new WebSocketServer({
  noServer: true,
  // Short messages, too, are compressed where the client can read it.
  perMessageDeflate: { threshold: 0 },
  maxPayload: 1 << 30,
  handleProtocols: (offered) => ['chat.v2', 'chat.v1'].find((name) => offered.has(name)) || false,
});
sockets.on('headers', (headers) => headers.push('Set-Cookie: visit=7; Path=/'));
sockets.on('connection', (socket, request) => {
  const behaviour = request.url.split('/')[1];
  if (behaviour === 'cookie') {
    socket.send(request.headers.cookie || '-');
  }
  socket.on('message', (data, binary) => {
    if (behaviour === 'ping') {
      socket.ping(data);
    } else if (behaviour === 'close') {
      const [, code, reason] = /^(\d+) (.*)$/.exec(data.toString());
      socket.close(Number(code), reason);
    } else {
      socket.send(data, { binary });
      if (behaviour === 'twice') {
        // Characters of a text may come to lie across fragments.
        const third = Math.floor(data.length / 3);
        socket.send(data.subarray(0, third), { binary, fin: false });
        socket.send(data.subarray(third, 2 * third), { binary, fin: false });
        socket.send(data.subarray(2 * third), { binary, fin: true });
      }
    }
  });
  socket.on('pong', (data) => socket.send(`pong ${data}`));
  socket.on('close', (code, reason) => console.log(`${request.url} ${code} ${reason}`));
});

const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
const servers = [http.createServer(), https.createServer(tls)];
for (const server of servers) {
  server.on('upgrade', (request, stream, head) =>
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request)));
}
// The port that the kernel chooses: nobody else can have it.
Promise.all(servers.map((server) => new Promise((listening) => server.listen(0, host, listening))))
  .then(() => console.log(servers.map((server) => server.address().port).join(' ')));
process.stdin.resume().on('end', () => process.exit());
