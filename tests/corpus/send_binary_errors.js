import ws from 'k6/ws';

class Mine {}
const values = [undefined, null, true, 1, 'text', [1], new Uint8Array(1), new DataView(new ArrayBuffer(1)), Symbol('x'),
  () => 1, {}, new Date(0), new Mine()];

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => {
      const attempt = (act) => {
        try { act(); console.log('no error'); } catch (e) { console.log(`${e.name} ${e.message} ${e instanceof Error}`); }
      };
      attempt(() => socket.sendBinary());
      for (const value of values) attempt(() => socket.sendBinary(value));
      socket.close();
    });
  });
}
