import ws from 'k6/ws';

function session(name, set) {
  const id = `${__ENV.RUN}-${name}`;
  const mine = new TypeError(name);
  try {
    ws.connect(`${__ENV.WS_URL}/echo?id=${id}`, null, (socket) => {
      socket.on('close', (code) => console.log(`${name}: close ${code}`));
      socket.on('error', (e) => console.log(`${name}: error ${e.error()}`));
      set(socket, () => { throw mine; });
      socket.on('open', () => console.log(`${name}: later handler`));
    });
    console.log(`${name}: returned`);
  } catch (e) {
    console.log(`${name}: caught ${e === mine} ${e.message}`);
  }
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    socket.on('message', (frame) => console.log(`${name}: server saw ${frame}`));
  });
}

export default function () {
  session('open', (socket, fail) => socket.on('open', fail));
  session('callback', (socket, fail) => fail());
  session('message', (socket, fail) => { socket.on('message', fail); socket.on('open', () => socket.send('x')); });
  session('timeout', (socket, fail) => socket.setTimeout(fail, 10));
  session('interval', (socket, fail) => socket.setInterval(fail, 10));
  session('pong', (socket, fail) => { socket.on('pong', fail); socket.on('open', () => socket.ping()); });
}
