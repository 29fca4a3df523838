import ws from 'k6/ws';

const port = __ENV.WS_URL.split(':')[2];

export const options = {
  hosts: {
    'Exact.test': '127.0.0.1',
    'exact.test:81': `127.0.0.1:${port}`,
    '*.wild.test': `127.0.0.1:${port}`,
    'not.wild.test': '127.0.0.2:1',
    '*.deep.wild.test': '127.0.0.3:1',
    '*.port.test:82': `127.0.0.1:${port}`,
    'x.port.test': '127.0.0.4:1',
    '10.1.2.3': `127.0.0.1:${port}`,
    'six.test': '[::1]:1',
  },
};

export default function () {
  for (const host of [
    `exact.test:${port}`, `EXACT.test:${port}`, 'exact.test:81', 'a.wild.test', 'a.b.wild.test', 'not.wild.test',
    'x.deep.wild.test', 'a.port.test:82', 'x.port.test:82', 'x.port.test', '10.1.2.3', 'six.test',
  ]) {
    const res = ws.connect(`ws://${host}/headers`, null, (socket) => {
      socket.on('message', (head) => { console.log(head.split('\r\n')[1]); socket.close(); });
    });
    console.log(`${host}: ${res.status} ${res.error}`);
  }
}
