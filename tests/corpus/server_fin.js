import ws from 'k6/ws';

export default function () {
  const res = ws.connect(`${__ENV.WS_URL}/fin`, null, (socket) => {
    socket.on('open', () => console.log('open'));
    socket.on('close', (code) => console.log(`close ${code}`));
    socket.on('error', (e) => console.log(`error ${e.error()} ${JSON.stringify(e)}`));
  });
  console.log(`returned ${res.status} ${JSON.stringify(res.error)}`);
}
