// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const show = (e) => {
    const kinds = Object.keys(e).filter((key) => key !== 'data').map((key) => `${key}:${typeof e[key]}`);
    console.log(`${e.type} ${kinds.join(' ')} target ${e.target === ws}`);
    const age = Date.now() - e.timestamp;
    console.log(`${e.type} time of now ${age > -60000 && age < 60000}`);
  };
  const ws = new WebSocket(`${__ENV.WS_URL}/close/4000?reason=enough`);
  ws.onopen = show;
  ws.onerror = (e) => { show(e); console.log(e.error); };
  ws.onclose = (e) => {
    show(e);
    console.log(`${e.code} ${e.reason}`);
    const pings = new WebSocket(`${__ENV.WS_URL}/ping?n=1`);
    pings.onping = (e) => console.log(`${e.type} ${Object.keys(e)} ${e.target === pings}`);
    pings.onmessage = (e) => {
      console.log(`${e.type} ${Object.keys(e)} ${e.origin === pings.url} ${e.data}`);
      pings.close(3000, 'bye');
    };
    pings.onerror = (e) => console.log(`${e.type} ${e.error}`);
    pings.onclose = (e) => console.log(`${e.type} ${e.code} ${e.reason}`);
  };
}
