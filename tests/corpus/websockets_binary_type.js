// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/binary?n=3`);
  const types = ['arraybuffer', 'blob', 'arraybuffer'];
  console.log(`first ${ws.binaryType}`);
  ws.onmessage = (e) => {
    console.log(`${ws.binaryType}: ${String(e.data)} ${e.data.size} ${e.data.byteLength}`);
    if (types.length === 0) return ws.close();
    const type = types.shift();
    // Two are on their way with one type when it is read, which happens as each is handed out.
    ws.binaryType = type;
    ws.send(new Uint8Array([types.length]));
    for (const bad of ['BLOB', ' blob', 'nodebuffer', 5, {}, undefined]) {
      try {
        ws.binaryType = bad;
        console.log(`${String(bad)} was taken`);
      } catch (error) {
        console.log(`${error.name} ${error.message}, still ${ws.binaryType}`);
      }
    }
  };
}
