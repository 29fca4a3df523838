import http from 'k6/http';

const base = __ENV.WS_URL.replace('ws:', 'http:');

export default function () {
  const show = (name, ask) => {
    try {
      const r = ask();
      console.log(`${name}: ${JSON.stringify([r.status, r.body, r.error, r.error_code, r.url])}`);
    } catch (e) {
      console.log(`${name} threw ${e.name}: ${e.message}`);
    }
  };
  show('refused', () => http.get('http://127.0.0.1:1/'));
  show('dropped', () => http.get(`${base}/drop`));
  show('stalled', () => http.get(`${base}/stall`, { timeout: '300ms' }));
  for (const url of ['', 'nope', 'ftp://x/', 'http:///x', 'http://127.0.0.1:99999/', '//x/']) show(`'${url}'`, () => http.get(url));
  show('thrown', () => http.get('http://127.0.0.1:1/', { throw: true }));
  show('method', () => http.request('a b', `${base}/status/200`));
  show('header', () => http.get(`${base}/status/200`, { headers: { 'a b': '1' } }));
  show('value', () => http.get(`${base}/status/200`, { headers: { a: 'x\r\ny' } }));
  show('compression', () => http.post(`${base}/status/200`, 'x', { compression: 'lzma', throw: true }));
  show('tags', () => http.get(`${base}/status/200`, { tags: { a: {} }, throw: true }));
  show('timeout', () => http.get(`${base}/status/200`, { timeout: 'x', throw: true }));
  show('type', () => http.get(`${base}/status/200`, { responseType: 'foo', throw: true }));
  show('body', () => http.post(`${base}/status/200`, 12, { throw: true }));
  show('callback', () => http.get(`${base}/status/200`, { responseCallback: 'x', throw: true }));
  for (const wrong of [[], ['x'], [{ min: 1 }], [1.5]]) show(JSON.stringify(wrong), () => http.expectedStatuses(...wrong));
  show('set', () => http.setResponseCallback('y'));
  show('null body', () => http.get('http://127.0.0.1:1/').json());
  show('batch', () => http.batch('x'));
}
