import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    const attempt = (what, act) => {
      try { act(); console.log(`${what}: no error`); } catch (e) { console.log(`${what}: ${e.name} ${e.message}`); }
    };
    const f = () => console.log('called');
    for (const delay of [0, -1.234, null, NaN, Infinity, -Infinity, 'abc', 1e-7, 1e300]) {
      attempt(`setTimeout ${delay}`, () => socket.setTimeout(f, delay));
      attempt(`setInterval ${delay}`, () => socket.setInterval(f, delay));
    }
    attempt('setTimeout without delay', () => socket.setTimeout(f));
    attempt('setTimeout with nothing', () => socket.setTimeout());
    attempt('setTimeout of a number', () => socket.setTimeout(42, 10));
    attempt('setTimeout of a string', () => socket.setTimeout('code()', 10));
    attempt('setInterval of an object', () => socket.setInterval({}, 10));
    attempt('delay as text', () => socket.setTimeout(f, '50000'));
    socket.on('open', () => socket.close());
  });
}
