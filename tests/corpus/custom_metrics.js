import ws from 'k6/ws';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const counter = new Counter('my_counter');
const gauge = new Gauge('my_gauge');
const rate = new Rate('my_rate');
const trend = new Trend('my_trend');
const time = new Trend('my_time', true);

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, { tags: { not: 'on custom metrics' } }, (socket) => {
    let n = 0;
    socket.on('open', () => socket.send('x'));
    socket.on('message', () => {
      n += 1;
      counter.add(n);
      gauge.add(n * 10, { which: `${n % 2}` });
      rate.add(n % 2 === 0);
      trend.add(n * 1.5, { number: 1, yes: true });
      time.add(n);
      if (n === 4) socket.close(); else socket.send('x');
    });
  });
  const attempt = (act) => { try { console.log(String(act())); } catch (e) { console.log(`${e.name}: ${e.message}`); } };
  attempt(() => counter.add(-2.5));
  attempt(() => counter.add('3'));
  attempt(() => rate.add(true));
  attempt(() => rate.add(0));
  attempt(() => counter.add(NaN));
  attempt(() => counter.add(null));
  attempt(() => counter.add('abc'));
  attempt(() => counter.add());
  attempt(() => counter.add(1, { bad: {} }));
  attempt(() => new Counter('too_late'));
  console.log(counter.name);
}
