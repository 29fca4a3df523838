// args: --vus 3 --iterations 3
import ws from 'k6/ws';

export default function () {
  for (let i = 0; i < 4; i++) {
    ws.connect(`${__ENV.WS_URL}/echo`, { tags: { i } }, (socket) => {
      let n = 0;
      socket.on('open', () => socket.send(`${i}`));
      socket.on('message', (data) => { if (++n === 5) socket.close(); else socket.send(data); });
    });
  }
}
