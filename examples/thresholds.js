// Verdicts: the run fails with exit code 99 if connecting is slow, a check fails or a message is lost.
//
//     ws run --echo examples/thresholds.js
import ws from 'k6/ws';
import { check } from 'k6';

export const options = {
  vus: 5,
  iterations: 20,
  thresholds: {
    ws_connecting: ['p(95)<1000'],
    'ws_msgs_received{purpose:greeting}': ['count==20'],
    ws_sessions: ['count==20'],
    checks: [{ threshold: 'rate==1', abortOnFail: true }],
  },
};

export function setup() {
  return { greeting: 'hello' };
}

export default function (data) {
  const res = ws.connect(__ENV.WS_URL, { tags: { purpose: 'greeting' } }, (socket) => {
    socket.on('open', () => socket.send(data.greeting));
    socket.on('message', (text) => {
      check(text, { 'is the greeting': (t) => t === data.greeting });
      socket.close();
    });
  });
  check(res, { 'status is 101': (r) => r && r.status === 101 });
}
