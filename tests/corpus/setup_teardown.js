// args: --vus 2 --iterations 2
// The two iterations may both fall to one VU, so each waits a little.
import ws from 'k6/ws';
import { sleep } from 'k6';

export function setup() {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => socket.send('from setup'));
    socket.on('message', (data) => { console.log(`[0] setup got ${data}`); socket.close(); });
  });
  return { status: res.status, list: [1, 'two', null], none: undefined, when: new Date(0) };
}

export default function (data) {
  console.log(`[${__VU}] ${data.status} ${JSON.stringify(data.list)} ${data.none} ${data.when}`);
  data.status = 'changed';
  sleep(0.3);
}

export function teardown(data) {
  console.log(`[99] teardown ${data.status} ${JSON.stringify(data.list)}`);
}
