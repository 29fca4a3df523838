import ws from 'k6/ws';

export const options = { iterations: 2, tags: { run_tag: 'r', number: '1' }, systemTags: ['url', 'status', 'iter', 'vu'] };

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, { tags: { subproto: 'mine' } }, (socket) => socket.on('open', () => socket.close()));
}
