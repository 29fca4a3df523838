// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.binaryType = 'arraybuffer';
  const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  const good = [
    'text', '', 'é😀', Symbol('sym'), bytes.buffer, bytes, bytes.subarray(2, 4), new Uint16Array([258, 3]),
    new Float32Array([1.5]), new Int8Array([-1]), new Uint8ClampedArray([300]), new ArrayBuffer(0),
  ];
  const bad = [
    1, 1.5, -0, NaN, null, undefined, true, {}, Object('s'), new DataView(bytes.buffer), [1], () => 1, new Date(0), 10n,
    new Map(), /x/, new Error('e'), Promise.resolve(1),
  ];
  let left = good.length;
  ws.onopen = () => {
    for (const value of bad) {
      try {
        ws.send(value);
        console.log(`${String(value)} was sent`);
      } catch (e) {
        console.log(`${Object.prototype.toString.call(value)}: ${e.name} ${e.message}`);
      }
    }
    for (const value of good) {
      const before = ws.bufferedAmount;
      ws.send(value);
      console.log(`buffered ${ws.bufferedAmount - before}`);
    }
  };
  ws.onmessage = (e) => {
    console.log(typeof e.data === 'string' ? `text ${e.data}` : `bytes ${new Uint8Array(e.data)}`);
    left -= 1;
    if (left === 0) ws.close();
  };
}
