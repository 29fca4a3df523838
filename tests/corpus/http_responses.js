import http from 'k6/http';
import { check } from 'k6';

const base = __ENV.WS_URL.replace('ws:', 'http:');
const show = (name, r) => console.log(`${name}: ${JSON.stringify([r.status, r.status_text, r.body, r.error, r.error_code, r.url, r.proto, r.tls_version])}`);

export default function () {
  for (const code of [200, 301, 404, 503]) show(code, http.get(`${base}/status/${code}?lines=1`));
  show('head', http.head(`${base}/status/200`));
  show('del', http.del(`${base}/status/200`));
  show('expected', http.get(`${base}/status/404`, { responseCallback: http.expectedStatuses(404, { min: 200, max: 299 }) }));
  show('unjudged', http.get(`${base}/status/404`, { responseCallback: null }));
  show('named', http.get(`${base}/status/200`, { tags: { name: 'the name', mine: 1 } }));
  show('template', http.get(http.url`${base}/status/${200}`));
  show('none', http.get(`${base}/status/200`, { responseType: 'none' }));
  const binary = http.get(`${base}/status/404`, { responseType: 'binary' });
  console.log(binary.body instanceof ArrayBuffer, binary.body.byteLength, Object.keys(binary).sort().join());
  const keys = Object.keys(binary.timings);
  check(binary, { timings: (r) => keys.every((key) => r.timings[key] >= 0) && r.timings.duration > 0 });
  console.log(keys.join(), JSON.stringify(binary.request.method), JSON.stringify(binary.ocsp));
  try { http.get(`${base}/status/200`).json(); } catch (e) { console.log(String(e)); }
}
