// k6 counts what it refuses to send.
// by chance: ws_msgs_sent
import ws from 'k6/ws';

export default function () {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('close', () => { console.log('close 1'); throw new Error('from close'); });
    socket.on('close', () => console.log('close 2'));
    socket.on('open', () => {
      try { socket.close(); } catch (e) { console.log(`caught at close(): ${e.message}`); }
      socket.send('x');
    });
    socket.on('error', (e) => console.log(`error ${e.error()}`));
  });
  console.log(`returned ${res.status}`);
}
