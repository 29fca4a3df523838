// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const base = __ENV.WS_URL;
  const urls = [
    `${base}/echo#`, `WS${base.slice(2)}/echo`, `${base}/echo?a=1 2&b=é`, base, `${base}?q`, `${base}/a b/é%41?x=%zz`,
  ];
  for (const url of urls) {
    const ws = new WebSocket(url);
    console.log(`${url} -> ${ws.url}`);
    ws.onopen = () => ws.close();
    ws.onerror = (e) => console.log(`${url}: ${e.error}`);
  }
  const called = WebSocket(`${base}/echo`);
  called.onopen = () => { console.log('without new'); called.close(); };
}
