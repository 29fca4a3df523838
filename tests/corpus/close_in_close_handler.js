// without k6: it hangs
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => socket.close(1000));
    socket.on('close', (code) => { console.log(`close ${code}`); socket.close(3000); });
    socket.on('error', (e) => console.log(`error ${e.error()}`));
  });
  console.log('returned');
}
