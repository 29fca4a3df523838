import ws from 'k6/ws';
import { check } from 'k6';

export const options = {
  thresholds: {
    ws_sessions: ['count==1', 'rate>0'],
    'ws_msgs_sent{my_tag:hello}': ['count === 2'],
    'ws_msgs_sent{my_tag:other}': ['count<1'],
    'ws_sessions{status:101}': [],
    ws_connecting: ['p(95)<10000', { threshold: 'max<20000', abortOnFail: true }],
    checks: ['rate>=1.0'],
    ws_ping: ['p(95)<1'],
  },
};

export default function () {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, { tags: { my_tag: 'hello' } }, (socket) => {
    socket.on('open', () => { socket.send('1'); socket.send('2'); });
    socket.on('message', (data) => { if (data === '2') socket.close(); });
  });
  check(res, { ok: (r) => r.status === 101 });
}
