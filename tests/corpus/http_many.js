import http from 'k6/http';
import ws from 'k6/ws';

const base = __ENV.WS_URL.replace('ws:', 'http:');

export default async function () {
  const shown = (r) => `${r.status} ${r.url.split('/').pop()}`;
  console.log(http.batch([`${base}/status/200`, ['GET', `${base}/status/404`], { url: `${base}/status/503`, body: 'dropped' }]).map(shown).join());
  const named = http.batch({ a: `${base}/status/200`, b: ['GET', `${base}/status/404`, null, { tags: { in: 'batch' } }] });
  console.log(Object.keys(named).sort().join(), shown(named.a), shown(named.b));
  const all = await Promise.all([200, 404].map((code) => http.asyncRequest('GET', `${base}/status/${code}`)));
  console.log(all.map(shown).join());
  await http.asyncRequest('GET', 'http://127.0.0.1:1/', null, { throw: true }).then(() => console.log('not reached'), () => console.log('rejected'));
  const jar = http.cookieJar();
  jar.set(base, 'login', 'yes');
  http.get(`${base}/status/200`);
  console.log(JSON.stringify(Object.keys(jar.cookiesForURL(base)).sort()));
  ws.connect(`${__ENV.WS_URL}/headers`, null, (socket) => socket.on('message', (head) => {
    console.log(/cookie: (.*)/i.exec(head)[1].trim());
    socket.close();
  }));
}
