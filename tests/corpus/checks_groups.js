import ws from 'k6/ws';
import { check, group } from 'k6';

export default function () {
  group('outer', () => {
    const res = ws.connect(`${__ENV.WS_URL}/echo`, { tags: { my_tag: 'hello' } }, (socket) => {
      socket.on('open', () => socket.send('x'));
      socket.on('message', (data) => {
        console.log(check(data, { 'is x': (d) => d === 'x', 'is y': (d) => d === 'y' }, { tagged: 'yes' }));
        group('in a handler', () => check(data, { 'deep': true }));
        socket.close();
      });
    });
    check(res, { 'status is 101': (r) => r && r.status === 101, 'number': 1, 'text': 'x', 'nothing': null });
    console.log(group('inner', () => 'value of a group'));
  });
  console.log(check(null, {}));
  try {
    check(1, { 'throws': () => { throw new Error('in a check'); }, 'after': true });
  } catch (e) {
    console.log(e.message);
  }
  try {
    group('a::b', () => {});
  } catch (e) {
    console.log(e.message);
  }
  try {
    group('throws', () => { throw new Error('in a group'); });
  } catch (e) {
    console.log(e.message);
  }
}
