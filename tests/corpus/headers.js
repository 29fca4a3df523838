import ws from 'k6/ws';

function show(headers) {
  const res = ws.connect(`${__ENV.WS_URL}/headers?q=a%20b&r=[1]#fragment`, { headers }, (socket) => {
    socket.on('message', (head) => { console.log(head); socket.close(); });
  });
  if (res.status !== 101) console.log(`${res.status} ${res.error}`);
}

export default function () {
  show({});
  show({ 'x-my-hEader': 'one', Authorization: 'Bearer t', Zebra: null, Apple: [1, 2], Number: 1.5 });
  show({ 'X-Twice': 'first', 'x-twice': 'second' });
  show({ 'bad name': 'dropped', 'line': 'a\r\nInjected: b', Good: ' padded ' });
  show({ 'User-Agent': 'mine', Origin: 'http://example.com', Host: 'other.example' });
  show({ 'User-Agent': '' });
  show({ Cookie: 'a=b' });
  show({ 'Sec-WebSocket-Protocol': 'one, two' });
  show({ upgrade: 'x' });
  show({ Connection: 'x' });
  show({ 'Sec-WebSocket-Key': 'x' });
  show({ 'sec-websocket-version': '8' });
  show({ 'Sec-WebSocket-Extensions': 'x' });
}
