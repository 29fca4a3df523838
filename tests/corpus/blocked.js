// args: --block-hostnames *.cli.test,cli.test --block-hostnames 127.0.0.1
// env: K6_BLACKLIST_IPS=127.0.0.2/32
import ws from 'k6/ws';

const port = __ENV.WS_URL.split(':')[2];

export const options = {
  blockHostnames: ['overridden.test'],
  blacklistIPs: ['127.0.0.0/8'],
  hosts: {
    'overridden.test': `127.0.0.1:${port}`,
    'cli.test': `127.0.0.1:${port}`,
    'dead.test': `127.0.0.2:${port}`,
  },
};

export default function () {
  for (const host of [
    `127.0.0.1:${port}`, 'overridden.test', 'cli.test', 'CLI.test', 'a.cli.test', '127.0.0.2', 'dead.test',
  ]) {
    const res = ws.connect(`ws://${host}/echo`, null, (socket) => socket.close());
    console.log(`${host}: ${res.status} ${res.error}`);
  }
}
