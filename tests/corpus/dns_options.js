// args: --dns ttl=0,select=roundRobin,policy=onlyIPv4
import ws from 'k6/ws';

const port = __ENV.WS_URL.split(':')[2];

export const options = { dns: { ttl: '1d', policy: 'onlyIPv6' } };

export default function () {
  for (let i = 0; i < 3; i++) {
    const res = ws.connect(`ws://localhost:${port}/echo`, null, (socket) => socket.close());
    console.log(res.status);
  }
}
