// drop: k6/experimental/websockets is deprecated
// A named import of Blob is another class at every look in k6.
import websockets from 'k6/experimental/websockets';

const { WebSocket, Blob } = websockets;

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  const send = [
    () => ws.send(new Blob(['text ', new Uint8Array([0, 255, 7])])),
    () => ws.send(new Blob([])),
    () => ws.send(new Uint8Array([1, 2, 3])),
    () => ws.send('text'),
    () => ws.send(new Blob(['abcdef']).slice(2, 4)),
  ];
  const next = () => {
    const before = ws.bufferedAmount;
    send.shift()();
    console.log(`buffered ${ws.bufferedAmount - before}`);
  };
  ws.onopen = () => { console.log(ws.binaryType); next(); };
  ws.onmessage = async (e) => {
    if (typeof e.data === 'string') {
      console.log(`string ${e.data}`);
    } else {
      const bytes = new Uint8Array(await e.data.arrayBuffer());
      console.log(`${String(e.data)} ${e.data.size} '${e.data.type}' ${bytes}`);
    }
    if (send.length) next();
    else ws.close();
  };
  ws.onclose = () => console.log('closed');
}
