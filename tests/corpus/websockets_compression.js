// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const id = __ENV.RUN;
  const ws = new WebSocket(`${__ENV.WS_URL}/deflate?id=${id}`, null, { compression: 'deflate' });
  ws.binaryType = 'arraybuffer';
  const long = 'compress '.repeat(500);
  const send = [long, 'short', '', new Uint8Array(300)];
  const next = () => ws.send(send.shift());
  ws.onopen = () => console.log(`open ${ws.extensions.length} ${ws.extensions}`);
  ws.onmessage = (e) => {
    const data = e.data;
    console.log(typeof data === 'string' ? `text ${data.length} ${data === long} ${data.slice(0, 8)}` : `bytes ${data.byteLength}`);
    if (send.length) next();
    else ws.close();
  };
  ws.onerror = (e) => console.log(`error ${e.error}`);
  ws.onclose = () => {
    const plain = new WebSocket(`${__ENV.WS_URL}/echo`, null, { compression: 'deflate' });
    plain.onopen = () => { console.log(`not agreed: ${plain.extensions.length}`); plain.send(long); };
    plain.onmessage = (e) => { console.log(e.data === long); plain.close(); };
  };
}
