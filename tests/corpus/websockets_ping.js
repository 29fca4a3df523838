// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/ping?n=2&id=${__ENV.RUN}`);
  let pongs = 0;
  ws.onping = (e) => console.log(`ping ${Object.keys(e)} ${ws.readyState}`);
  ws.onpong = (e) => {
    pongs += 1;
    console.log(`pong ${Object.keys(e)}`);
    if (pongs === 3) ws.close();
  };
  ws.onmessage = (e) => {
    console.log(e.data);
    for (let i = 0; i < 3; i++) ws.ping();
  };
  ws.onclose = () => {
    const seen = new WebSocket(`${__ENV.WS_URL}/seen?id=${__ENV.RUN}`);
    seen.onmessage = (e) => console.log(`the server saw ${e.data}`);
    seen.onclose = () => {
      const other = new WebSocket(`${__ENV.WS_URL}/pong`);
      other.onpong = () => { console.log('unknown pong'); other.close(); };
    };
  };
}
