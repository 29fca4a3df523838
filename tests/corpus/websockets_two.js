// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

// Two sockets that hand a count to each other.
export default function () {
  const sockets = ['ping', 'pong'].map((name) => {
    const ws = new WebSocket(`${__ENV.WS_URL}/echo?name=${name}`, null, { tags: { name } });
    ws.name = name;
    return ws;
  });
  let open = 0;
  sockets.forEach((ws, i) => {
    const other = sockets[1 - i];
    ws.onopen = () => {
      open += 1;
      if (open === 2) sockets[0].send('1');
    };
    ws.onmessage = (e) => {
      const n = Number(e.data);
      console.log(`${e.target.name} ${n} ${e.origin === ws.url}`);
      if (n < 10) other.send(`${n + 1}`);
      else ws.close();
    };
    ws.onclose = () => {
      console.log(`${ws.name} is closed, the other ${other.readyState}`);
      if (other.readyState === 1) other.close();
    };
  });
}
