import ws from 'k6/ws';

// What stands behind k6's text is checked in tests/handshakes.rs.
const k6Says = (text) => text.replace(/(websocket: bad handshake|malformed ws or wss URL): .*/, '$1');

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
      console.log(`${url} -> ${k6Says(String(e))} / ${e.name} / ${Object.keys(e)} / ${k6Says(e.value.error())}`);
    }
  }
}
