// args: --no-thresholds
import ws from 'k6/ws';

export const options = { thresholds: { ws_sessions: ['count>100'] } };

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', () => socket.close()));
}
