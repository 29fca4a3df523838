import ws from 'k6/ws';

export const options = { userAgent: 'my agent/1.0' };

export default function () {
  for (const headers of [undefined, { 'user-agent': 'another' }]) {
    ws.connect(`${__ENV.WS_URL}/headers`, { headers }, (socket) => {
      socket.on('message', (head) => { console.log(head); socket.close(); });
    });
  }
}
