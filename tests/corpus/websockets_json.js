// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/subproto?choose=b`, ['a', 'b']);
  const say = (when) => console.log(`${when}: ${JSON.stringify(ws)}`);
  say('new');
  ws.onopen = () => { say('open'); ws.binaryType = 'arraybuffer'; ws.close(); console.log(ws.readyState); };
  ws.onclose = () => {
    console.log(`${ws.readyState} ${ws.protocol} ${ws.binaryType} ${ws.url}`);
    console.log(`${Object.keys(JSON.parse(JSON.stringify(ws)))}`);
  };
}
