import ws from 'k6/ws';

function session(path) {
  const id = `${__ENV.RUN}-${path}`;
  console.log(path);
  ws.connect(`${__ENV.WS_URL}/${path}${path.includes('?') ? '&' : '?'}id=${id}`, null, (socket) => {
    socket.on('open', () => console.log('  open'));
    socket.on('close', (code) => console.log(`  close ${code}`));
    socket.on('error', (e) => console.log(`  error ${e.error()} ${JSON.stringify(e)} ${e.code} ${e.text}`));
  });
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    socket.on('message', (frame) => console.log(`  server saw ${frame}`));
  });
}

export default function () {
  session('close/1000');
  session('close/1001?reason=bye');
  session('close/1002');
  session('close/1003');
  session('close/1007');
  session('close/1008?reason=policy');
  session('close/1009');
  session('close/1010');
  session('close/1011?reason=oops');
  session('close/1012');
  session('close/3000');
  session('close/4999?reason=x');
  session('close-nocode');
}
