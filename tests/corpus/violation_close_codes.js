// drop: error websocket: close sent
// Close codes that must not be on the wire.
import ws from 'k6/ws';

export default function () {
  for (const code of [0, 999, 1004, 1005, 1006, 1014, 1015, 2999, 5000, 65535]) {
    ws.connect(`${__ENV.WS_URL}/close/${code}`, { tags: { code } }, (socket) => {
      socket.on('close', (c) => console.log(`${code}: close ${c}`));
      socket.on('error', (e) => console.log(`${code}: error ${e.error()}`));
    });
  }
}
