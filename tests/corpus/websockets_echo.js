// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.binaryType = 'arraybuffer';
  console.log(`new: ${ws.readyState} ${ws.url} ${ws.protocol === ''} ${ws.extensions.length} ${ws.bufferedAmount}`);
  ws.onopen = (e) => {
    console.log(`open: ${ws.readyState} ${e.type} ${e.target === ws} ${Object.keys(e)}`);
    ws.send('hello');
    ws.send(new Uint8Array([1, 2, 3]).buffer);
    console.log(`sent: ${ws.bufferedAmount}`);
  };
  let seen = 0;
  ws.onmessage = (e) => {
    seen += 1;
    const data = typeof e.data === 'string' ? e.data : `bytes ${new Uint8Array(e.data)}`;
    console.log(`message: ${data} ${Object.keys(e)} ${e.origin} ${e.target === ws} ${typeof e.timestamp}`);
    if (seen === 2) {
      ws.close();
      console.log(`closing: ${ws.readyState}`);
    }
  };
  ws.onerror = (e) => console.log(`error: ${e.error}`);
  ws.onclose = (e) => console.log(`close: ${ws.readyState} ${e.type} ${e.target === ws}`);
  console.log('default returns');
}
