// env: K6_VUS=2
// env: K6_ITERATIONS=4
// env: K6_SYSTEM_TAGS=scenario
// env: K6_USER_AGENT=agent from the environment
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/headers`, null, (socket) => {
    socket.on('message', (head) => { console.log(head.split('\n')[2]); socket.close(); });
  });
}
