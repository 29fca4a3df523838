import ws, { connect } from 'k6/ws';
import * as all from 'k6/ws';

export default function () {
  const url = `${__ENV.WS_URL}/echo`;
  const attempt = (what, act) => {
    try { console.log(`${what}: ${act().status}`); } catch (e) { console.log(`${what}: ${String(e)} / ${e.name} / ${Object.keys(e)}`); }
  };
  const done = (socket) => socket.close();
  attempt('nothing', () => ws.connect());
  attempt('only a url', () => ws.connect(url));
  attempt('too many', () => ws.connect(url, null, done, 1));
  attempt('callback is null', () => ws.connect(url, null));
  attempt('callback is an object', () => ws.connect(url, null, {}));
  attempt('two arguments', () => ws.connect(url, done));
  attempt('params undefined', () => ws.connect(url, undefined, done));
  attempt('params empty', () => ws.connect(url, {}, done));
  attempt('params unknown', () => ws.connect(url, { timeout: 1, cookies: { a: 'b' }, nonsense: true }, done));
  attempt('params a number', () => ws.connect(url, 5, done));
  attempt('params a string', () => ws.connect(url, 'ab', done));
  attempt('named import', () => connect(url, null, done));
  attempt('namespace import', () => all.connect(url, null, done));
}
