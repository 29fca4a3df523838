import ws from 'k6/ws';

// What stands behind k6's text is checked in tests/handshakes.rs.
// k6 has none for a dial that got an answer.
const error = (res) => (res.status ? '' : res.error.replace(/^(malformed ws or wss URL): .*/, '$1'));

export default function () {
  const base = __ENV.WS_URL;
  const urls = [
    'ws://127.0.0.1:1/refused', `${base}/status/200`, `${base}/status/301`, `${base}/status/404?lines=200`,
    `${base}/status/503`, `${base}/badaccept`, `${base}/garbage`, `${base}/drop`,
    base.replace('ws:', 'http:'), 'localhost', '', null, undefined, 'ftp://127.0.0.1/',
    'ws://127.0.0.1:99x11/', 'ws://127.0.0.1/%zz', 'ws://[::1', 'ws://a b/', '://',
  ];
  for (const url of urls) {
    const res = ws.connect(url, null, () => console.log('callback must not run'));
    const headers = Object.keys(res.headers).sort().map((name) => `${name}: ${res.headers[name]}`).join('; ');
    console.log(`${url} -> ${JSON.stringify([res.url, res.status, error(res)])} {${headers}} ${res.body.length} ${JSON.stringify(res.body.slice(0, 20))}`);
  }
}
