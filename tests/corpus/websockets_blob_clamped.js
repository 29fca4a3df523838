// without k6: it crashes
import { WebSocket, Blob } from 'k6/websockets';

export default async function () {
  const blob = new Blob(['abcdef'], {});
  console.log(`'${blob.type}' ${blob instanceof Blob}`);
  for (const args of [[0, 99], [-2], [-3, -1], [9], [4, 2], [-99, 2], [null, null]]) {
    console.log(`slice(${args}): '${await blob.slice(...args).text()}'`);
  }
  // By the names that the module exports, too, which in k6 are of another class each time.
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.onopen = () => ws.send(blob);
  ws.onmessage = async (e) => { console.log(`${e.data instanceof Blob} ${await e.data.text()}`); ws.close(); };
}
