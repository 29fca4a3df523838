import ws from 'k6/ws';

export const options = { throw: true };

export default function () {
  const base = __ENV.WS_URL;
  const urls = ['ws://127.0.0.1:1/refused', `${base}/status/404`, `${base}/badaccept`, `${base}/badext`, `${base}/garbage`,
    `${base}/drop`, 'http://127.0.0.1/', 'ws://127.0.0.1:99x11/', `${base}/echo`];
  for (const url of urls) {
    try {
      const res = ws.connect(url, null, (socket) => socket.on('open', () => socket.close()));
      console.log(`${url} -> ${res.status}`);
    } catch (e) {
      console.log(`${url} -> ${String(e)} / ${e.name} / ${Object.keys(e)} / ${e.value.error()}`);
    }
  }
}
