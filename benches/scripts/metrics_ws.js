// Closed-loop echo with all that a message may touch: JSON, a check, custom metrics, tags. What grows, grows here.
import ws from 'k6/ws';
import { check } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const url = __ENV.URL || 'ws://127.0.0.1:9001';
const dur = parseInt(__ENV.MS || '10000');
const trip = new Trend('trip', true), seen = new Counter('seen'), good = new Rate('good'), last = new Gauge('last');
export default function () {
  ws.connect(url, null, function (socket) {
    let n = 0;
    const send = () => socket.send(JSON.stringify({ n, at: Date.now(), text: 'x'.repeat(n % 300) }));
    socket.on('open', send);
    socket.on('message', (text) => {
      const message = JSON.parse(text);
      trip.add(Date.now() - message.at, { kind: `k${n % 10}` });
      seen.add(1);
      last.add(n);
      good.add(check(message, { 'in order': (m) => m.n === n }));
      n += 1;
      send();
    });
    socket.setTimeout(() => socket.close(), dur);
  });
}
