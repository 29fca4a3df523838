// env: K6_DNS=policy=onlyIPv6
import ws from 'k6/ws';

export const options = { dns: { policy: 'onlyIPv4', select: 'first', ttl: 'inf' } };

export default function () {
  // A literal is no name; of localhost the machine may know no IPv6 address.
  const literal = ws.connect('ws://127.0.0.1:1/', null, () => {});
  console.log(literal.error);
  const name = ws.connect('ws://localhost:1/', null, () => {});
  console.log(/no such host|\[::1\]/.test(name.error));
}
