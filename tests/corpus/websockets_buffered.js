// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  console.log(`new ${ws.bufferedAmount}`);
  ws.onopen = () => {
    const amounts = ['', 'a', 'é😀', new ArrayBuffer(1000), new Uint8Array(7)].map((data) => { ws.send(data); return ws.bufferedAmount; });
    console.log(`${amounts}`);
  };
  let left = 5;
  ws.onmessage = () => {
    left -= 1;
    // Once all have come back they have been written, too.
    if (left === 0) setTimeout(() => { console.log(`written ${ws.bufferedAmount}`); ws.close(); }, 200);
  };
}
