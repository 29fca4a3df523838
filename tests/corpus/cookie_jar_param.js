// args: --iterations 2
// since: 2.2.0
// drop: net/http: invalid byte
import ws from 'k6/ws';
import http from 'k6/http';

const base = __ENV.WS_URL.replace('ws:', 'http:');
const kept = new http.CookieJar();
const entries = (jar) => JSON.stringify(Object.entries(jar.cookiesForURL(`${base}/`)).sort());

function visit(path, params) {
  let seen = 'nothing';
  ws.connect(`${__ENV.WS_URL}/${path}`, params, (socket) => {
    socket.on('message', (head) => {
      seen = head.split('\n').filter((line) => line.startsWith('Cookie')).join() || 'none';
      socket.close();
    });
  });
  return seen;
}

function wire() {
  for (const value of ['v w', 'v,w', 'a"b', 'a;b', 'a\\b', 'ä', '', ' v', 'v ', '{"a":1}', '=']) {
    const jar = new http.CookieJar();
    jar.set(base, 'n', value);
    console.log(`${JSON.stringify(value)} is sent as ${visit('headers', { jar })}`);
  }
  const jar = new http.CookieJar();
  for (const [name, path] of [['c', '/'], ['a', '/headers'], ['b', '/'], ['c', '/headers']]) jar.set(base, name, path, { path });
  console.log(visit('headers', { jar }));
  jar.set(base, 'c', 'again', { path: '/' });
  console.log(visit('headers', { jar }));
  jar.delete(base, 'c');
  jar.set(base, 'c', 'and again', { path: '/' });
  console.log(visit('headers', { jar }));
}

function received() {
  const jar = new http.CookieJar();
  for (const cookies of [
    'x=1; Path=/\ny="2"\nz=3 4; HttpOnly\ns=5; Secure', 'a b=1', '=1', 'a', 'a={"b":1}', 'a=b"c', 'a=b\\c', 'a=é', 'a=b=c; Path=x; Max-Age=x; Expires=x',
    'x=; Max-Age=0; Path=/\nz=; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'old=1; Max-Age=1000; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'd=1; Domain=127.0.0.1', 'e=1; Domain=0.0.1', 'f=1; Domain=example.com', 'g=1; Domain=',
  ]) {
    visit(`cookie?${encodeURIComponent(cookies)}`, { jar });
    console.log(`${JSON.stringify(cookies)}: ${entries(jar)} ${visit('headers', { jar })}`);
  }
  visit('status/404', { jar });
  console.log(`${entries(jar)} and the VU has ${entries(http.cookieJar())}`);
}

export default function () {
  console.log(`${__ITER}: ${visit('headers')} ${visit('headers', { jar: kept })}`);
  kept.set(base, 'kept', `${__ITER}`);
  http.cookieJar().set(base, 'vu', `${__ITER}`);
  console.log(`${visit('headers')} ${visit('headers', { jar: kept })} ${visit('headers', { jar: kept, headers: { Cookie: 'own=1' } })}`);
  const vu = http.cookieJar();
  visit('cookie?seen=1;Path=/');
  console.log(`live: ${entries(vu)}`);
  ws.connect(`${__ENV.WS_URL}/cookie?inner=1`, { jar: kept }, (socket) => { console.log(`in the callback: ${entries(kept)}`); socket.close(); });
  for (const jar of [null, undefined, 5, 'x', {}, [], () => 1, { cookiesForURL() {} }, Object.create(kept), Object.assign({}, kept)]) {
    console.log(`no jar: ${visit('headers', { jar })}`);
  }
  vu.clear(base);
  console.log(`cleared: ${visit('headers')}`);
  if (__ITER > 0) return;
  wire();
  received();
}
