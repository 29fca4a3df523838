import ws from 'k6/ws';

export default function () {
  const base = __ENV.WS_URL;
  const urls = [
    'ws://127.0.0.1:1/refused', `${base}/status/200`, `${base}/status/301`, `${base}/status/404?lines=200`,
    `${base}/status/503`, `${base}/badaccept`, `${base}/garbage`, `${base}/drop`,
    base.replace('ws:', 'http:'), 'localhost', '', null, undefined, 'ws://user:secret@127.0.0.1:1/', 'ftp://127.0.0.1/',
    'ws://127.0.0.1:99x11/', 'ws://127.0.0.1/%zz', 'ws://[::1', 'ws://a b/', '://',
  ];
  for (const url of urls) {
    const res = ws.connect(url, null, () => console.log('callback must not run'));
    const headers = Object.keys(res.headers).sort().map((name) => `${name}: ${res.headers[name]}`).join('; ');
    console.log(`${url} -> ${JSON.stringify([res.url, res.status, res.error])} {${headers}} ${res.body.length} ${JSON.stringify(res.body.slice(0, 20))}`);
  }
}
