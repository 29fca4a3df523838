// by chance: ws_session_duration
import ws from 'k6/ws';

export const options = {
  vus: 1,
  duration: '20s',
  thresholds: { ws_sessions: [{ threshold: 'count<1', abortOnFail: true }] },
};

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', () => console.log('open')));
}

export function teardown() {
  console.log('teardown');
}
