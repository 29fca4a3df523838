import ws from 'k6/ws';

export default function () {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => console.log('open'));
    socket.on('close', (code) => console.log(`close ${code}`));
    socket.close(1000);
    socket.on('close', (code) => console.log(`too late ${code}`));
    console.log('callback goes on');
  });
  console.log(`returned ${res.status}`);
}
