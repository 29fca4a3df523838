// k6 counts what it refuses to send.
// by chance: ws_msgs_sent
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('error', (e) => console.log(`error ${e.error()} / ${e} / ${Object.keys(e)} / ${e instanceof Error}`));
    socket.on('close', () => { console.log('close'); socket.send('in close'); });
    socket.on('open', () => {
      socket.close();
      socket.send('late');
      socket.sendBinary(new Uint8Array([1]).buffer);
      socket.ping();
      console.log('after');
    });
  });
}
