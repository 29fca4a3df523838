// Many sockets in one VU, without a thread for any of them: each asks three times and closes.
//
//     ws run --echo examples/many.js
//
// With --extended-metrics the report also shows how long the answers took, measured below the script.
import { WebSocket } from 'k6/websockets';
import { check } from 'k6';
import { Counter } from 'k6/metrics';

const SOCKETS = 100;
const answers = new Counter('answers');

function talk(id) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(__ENV.WS_URL, null, { tags: { role: 'asker' }, latency: { id: '/id' } });
    let asked = 0;
    const ask = () => ws.send(JSON.stringify({ id: `${id}-${++asked}` }));
    ws.onopen = ask;
    ws.onmessage = (event) => {
      answers.add(1);
      check(JSON.parse(event.data), { 'is the answer': (m) => m.id === `${id}-${asked}` });
      if (asked < 3) ask();
      else ws.close();
    };
    ws.onerror = (event) => reject(new Error(event.error));
    ws.onclose = resolve;
  });
}

export default async function () {
  const closed = await Promise.all(Array.from({ length: SOCKETS }, (_, id) => talk(id)));
  check(closed, { 'all closed cleanly': (events) => events.every((event) => event.wasClean && event.code === 1000) });
}
