// What the close event is told and what the server receives are not the same number.
import ws from 'k6/ws';

function close(name, act) {
  const id = `${__ENV.RUN}-${name}`;
  ws.connect(`${__ENV.WS_URL}/echo?id=${id}`, null, (socket) => {
    socket.on('open', () => act(socket));
    socket.on('close', (code) => console.log(`${name}: close ${code}`));
    socket.on('error', (e) => console.log(`${name}: error ${e.error()}`));
  });
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    socket.on('message', (frame) => console.log(`${name}: server saw ${frame}`));
  });
}

export default function () {
  close('default', (s) => s.close());
  close('1000', (s) => s.close(1000));
  close('3000-reason', (s) => s.close(3000, 'ignored'));
  close('70000', (s) => s.close(70000));
  close('minus-1', (s) => s.close(-1));
  close('1005', (s) => s.close(1005));
  close('undefined', (s) => s.close(undefined));
  close('null', (s) => s.close(null));
  close('text', (s) => s.close('abc'));
  close('fraction', (s) => s.close(1000.9));
}
