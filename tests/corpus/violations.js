// drop: error websocket: close sent
import ws from 'k6/ws';

const kinds = ['rsv1', 'rsv2', 'rsv3', 'rsv23', 'opcode', 'mask', 'long-control', 'split-control', 'data-before-fin',
  'continuation', 'close-code', 'close-utf8'];

export default function () {
  for (const kind of kinds) {
    const id = `${__ENV.RUN}-${kind}`;
    console.log(kind);
    ws.connect(`${__ENV.WS_URL}/violation/${kind}?id=${id}`, null, (socket) => {
      socket.on('message', () => console.log('  message'));
      socket.on('ping', () => console.log('  ping'));
      socket.on('close', (code) => console.log(`  close ${code}`));
      socket.on('error', (e) => console.log(`  error ${e.error()}`));
    });
    ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
      socket.on('message', (frame) => console.log(`  server saw ${frame}`));
    });
  }
}
