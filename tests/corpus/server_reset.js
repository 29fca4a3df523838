// Whether writing the close frame fails after a reset is chance, so error events are not logged.
import ws from 'k6/ws';

export default function () {
  for (const path of ['rst', 'rst-mid-message']) {
    const res = ws.connect(`${__ENV.WS_URL}/${path}`, null, (socket) => {
      socket.on('open', () => socket.send('now'));
      socket.on('message', () => console.log('message'));
      socket.on('close', (code) => console.log(`${path} close ${code}`));
    });
    console.log(`${path} returned ${res.status}`);
  }
}
