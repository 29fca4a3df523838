import ws from 'k6/ws';

export default function () {
  let n = 0, inOrder = true;
  ws.connect(`${__ENV.WS_URL}/burst?n=5000`, null, (socket) => {
    socket.on('message', (data) => { inOrder = inOrder && data === `${n}`; n += 1; });
    socket.on('close', (code) => console.log(`close ${code}`));
  });
  console.log(`${n} messages, in order: ${inOrder}`);
}
