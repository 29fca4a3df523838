// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

const cookies = (text) => text.split('\n').filter((line) => line.startsWith('Cookie')).join();
export const options = { iterations: 2 };

function session(path, protocols, params) {
  return new Promise((resolve) => {
    const ws = new WebSocket(`${__ENV.WS_URL}${path}`, protocols, params);
    ws.onmessage = (e) => { console.log(`${path}: ${cookies(e.data) || 'none'}`); ws.close(); };
    ws.onerror = (e) => console.log(`${path}: ${e.error}`);
    ws.onclose = resolve;
  });
}

// The jar is the virtual user's, and emptied for each iteration.
export default async function () {
  await session('/headers');
  await session('/cookie?a=1');
  await session('/cookie?b=2', 'chat');
  await session('/headers', ['chat', 'other']);
  await session('/headers', null, { headers: { Cookie: 'mine=3' } });
}
