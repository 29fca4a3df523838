// The summary may take its time; what is left in the queue when it is over is still done.
import { sleep } from 'k6';

export default function () {}

export async function handleSummary(data) {
  sleep(0.01);
  const text = await Promise.resolve(`${typeof data.metrics} and setup data ${data.setup_data}\n`);
  Promise.resolve().then(() => console.log('afterwards'));
  const bytes = new Uint8Array([0xe2, 0x9c, 0x93, 0x0a]);
  return { stdout: bytes.buffer, stderr: text };
}
