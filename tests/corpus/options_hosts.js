import ws from 'k6/ws';

const address = __ENV.WS_URL.replace('ws://', '');
export const options = { hosts: { 'some.test': '127.0.0.1', 'other.test:80': address, '*.wild.test': address } };

export default function () {
  const port = address.split(':')[1];
  for (const host of [`some.test:${port}`, 'other.test', 'a.wild.test', 'OTHER.test']) {
    const res = ws.connect(`ws://${host}/headers`, null, (socket) => {
      socket.on('message', (head) => { console.log(head.split('\n')[1].replace(port, 'PORT')); socket.close(); });
    });
    console.log(`${res.status} ${res.error}`);
  }
}
