// without k6: it crashes
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => {
      try { socket.sendBinary(Object.create(null)); } catch (e) { console.log(String(e)); }
      socket.close();
    });
  });
}
