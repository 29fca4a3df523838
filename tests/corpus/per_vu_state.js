// args: --vus 2 --duration 1s
// Each VU has its own globals and its own counter; the iterations per VU are chance, so only the first two are logged.
import ws from 'k6/ws';

let count = 0;

export default function () {
  count += 1;
  if (count < 3) console.log(`[${__VU}] iteration ${__ITER}, count ${count}`);
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.setTimeout(() => socket.close(), 400);
  });
}
