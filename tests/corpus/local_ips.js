// args: --local-ips 127.0.0.2-127.0.0.3 --vus 1 --iterations 1
import ws from 'k6/ws';

export function setup() {
  return ws.connect('ws://127.0.0.1:1/', null, () => {}).error.includes('127.0.0.');
}

export default function (data) {
  console.log(data, __VU, ws.connect('ws://127.0.0.1:1/', null, () => {}).error);
}
