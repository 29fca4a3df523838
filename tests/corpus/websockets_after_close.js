// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.onopen = () => ['0', '1', '2', '3', '4'].forEach((text) => ws.send(text));
  ws.onmessage = (e) => {
    console.log(`message ${e.data}`);
    if (e.data === '2') {
      ws.close();
      // The other two come before the answer to this, are dropped and not counted.
      console.log(`closing ${ws.readyState}`);
      for (const act of [() => ws.send('x'), () => ws.ping()]) {
        try {
          act();
        } catch (e) {
          console.log(`${e.name} ${e.message}`);
        }
      }
    }
  };
  ws.onerror = (e) => console.log(`error ${e.error}`);
  ws.onclose = () => {
    console.log(`closed ${ws.readyState}`);
    ws.close();
    ws.close(5);
    setTimeout(() => console.log('nothing came after'), 20);
  };
}
