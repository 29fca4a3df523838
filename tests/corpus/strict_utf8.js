// args: --strict-utf8
// without k6: it has no such option
import ws from 'k6/ws';

export default function () {
  const id = `${__ENV.RUN}-strict`;
  ws.connect(`${__ENV.WS_URL}/utf8?id=${id}`, null, (socket) => {
    socket.on('message', (data) => console.log(`message ${data}`));
    socket.on('error', (e) => console.log(`error ${e.error()} ${JSON.stringify(e)}`));
    socket.on('close', (code) => console.log(`close ${code}`));
  });
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    socket.on('message', (frame) => console.log(`the server got ${frame}`));
  });
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => socket.send('grüße'));
    socket.on('message', (data) => { console.log(data); socket.close(); });
  });
}
