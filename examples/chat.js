// A chat user: joins, says something every 100 ms, pings the server, and leaves after a second.
//
//     ws run --echo --vus 5 --duration 3s examples/chat.js
import ws from 'k6/ws';
import { check, group } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const said = new Counter('chat_messages_said');
const latency = new Trend('chat_latency', true);

export default function () {
  const user = `user-${__VU}`;
  group('chat room', () => {
    const res = ws.connect(__ENV.WS_URL, { tags: { room: 'lobby' } }, (socket) => {
      socket.on('open', () => {
        socket.send(JSON.stringify({ event: 'JOIN', user }));
        socket.setInterval(() => {
          socket.send(JSON.stringify({ event: 'SAY', user, text: 'hello', at: Date.now() }));
          said.add(1);
        }, 100);
        socket.setInterval(() => socket.ping(), 500);
      });
      socket.on('message', (data) => {
        const message = JSON.parse(data);
        check(message, { 'is from us': (m) => m.user === user });
        if (message.event === 'SAY') latency.add(Date.now() - message.at);
      });
      socket.on('error', (e) => console.error(`${user}: ${e.error()}`));
      socket.setTimeout(() => {
        socket.send(JSON.stringify({ event: 'LEAVE', user }));
        socket.close();
      }, 1000);
    });
    check(res, { 'joined': (r) => r && r.status === 101 });
  });
}
