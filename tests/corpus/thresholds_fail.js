import ws from 'k6/ws';
import { check } from 'k6';
import { Rate } from 'k6/metrics';

export const options = {
  thresholds: {
    my_rate: ['rate>0.9'],
    checks: ['rate>0.9', 'rate<=0.5'],
    ws_msgs_received: ['count>100'],
    iterations: ['count>=1'],
  },
};
const rate = new Rate('my_rate');

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', () => socket.close()));
  rate.add(false);
  check(1, { good: true, bad: false });
}
