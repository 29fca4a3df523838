import ws from 'k6/ws';

export default function () {
  for (const [path, headers] of [
    ['subproto', { 'Sec-WebSocket-Protocol': 'chat, superchat' }],
    ['subproto?choose=unasked', { 'Sec-WebSocket-Protocol': 'chat' }],
    ['subproto?choose=unasked', {}],
    ['echo', { 'Sec-WebSocket-Protocol': 'chat' }],
  ]) {
    const res = ws.connect(`${__ENV.WS_URL}/${path}`, { headers }, (socket) => {
      socket.on('open', () => socket.close());
    });
    console.log(`${path}: ${res.status} ${res.headers['Sec-Websocket-Protocol']}`);
  }
}
