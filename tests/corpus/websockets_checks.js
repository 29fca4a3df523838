// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';
import { check, group } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const received = new Counter('received');
const length = new Trend('length');
export const options = { thresholds: { received: ['count==6'], 'checks{kind:text}': ['rate==1'], 'length{kind:text}': ['max<6'] } };

export default function () {
  group('outside', () => {
    const ws = new WebSocket(`${__ENV.WS_URL}/echo`, null, { tags: { name: 'room' } });
    ws.onopen = () => {
      check(ws, { 'is open': (ws) => ws.readyState === 1 });
      group('inside', () => ['a', 'bb', 'ccc'].forEach((text) => ws.send(text)));
    };
    ws.onmessage = (e) => {
      received.add(2);
      length.add(e.data.length, { kind: 'text' });
      check(e, { 'is a string': (e) => typeof e.data === 'string', 'is short': (e) => e.data.length < 3 }, { kind: 'text' });
      group('messages', () => check(e, { 'is known': (e) => 'abc'.includes(e.data[0]) }));
      if (e.data === 'ccc') ws.close();
    };
    ws.onclose = () => check(ws, { 'is closed': (ws) => ws.readyState === 3 });
  });
}
