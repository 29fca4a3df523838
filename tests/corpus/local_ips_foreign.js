// args: --local-ips 192.0.2.77
import ws from 'k6/ws';

export const options = { throw: true };

export default function () {
  // The range is for documentation: no machine has an address of it.
  ws.connect('ws://127.0.0.1:1/', null, () => {});
}
