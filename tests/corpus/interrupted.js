// by chance: ws_session_duration
// k6 does not measure a session that is interrupted. What it still runs of an iteration is chance, so nothing is logged here.
import ws from 'k6/ws';

export const options = {
  scenarios: { cut: { executor: 'constant-vus', vus: 2, duration: '1s', gracefulStop: '0s' } },
};

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => socket.send('x'));
  });
}
