import ws from 'k6/ws';

export default function () {
  try {
    ws.connect(`${__ENV.WS_URL}/close/1011`, null, (socket) => {
      socket.on('error', () => { throw new Error('from error'); });
      socket.on('close', (code) => console.log(`close ${code}`));
    });
  } catch (e) {
    console.log(`caught ${e.message}`);
  }
}
