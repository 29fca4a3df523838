// Sends binary messages that carry a number and its square, and checks what comes back.
//
//     ws run --echo --vus 2 --iterations 4 examples/binary.js
import ws from 'k6/ws';
import { check } from 'k6';

export default function () {
  let next = 0;
  ws.connect(__ENV.WS_URL, null, (socket) => {
    const send = () => {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, next);
      view.setUint32(4, next * next);
      socket.sendBinary(view.buffer);
    };
    socket.on('open', send);
    socket.on('binaryMessage', (data) => {
      const view = new DataView(data);
      check(view, {
        'eight bytes': (v) => v.byteLength === 8,
        'the number': (v) => v.getUint32(0) === next,
        'its square': (v) => v.getUint32(4) === next * next,
      });
      next += 1;
      if (next < 10) send(); else socket.close();
    });
  });
}
