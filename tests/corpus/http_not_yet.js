// without k6: it has an HTTP client
import http, { get, post, nope } from 'k6/http';

export const options = { throw: true };

export default function () {
  console.log(`${typeof get} ${get === http.get} ${typeof nope} ${http.TLS_1_3} ${http.OCSP_STATUS_GOOD}`);
  for (const [name, value] of Object.entries(http)) {
    if (typeof value !== 'function' || /jar/i.test(name)) continue;
    try {
      console.log(`${name} gives ${value('http://127.0.0.1:1/')}`);
    } catch (e) {
      console.log(String(e));
    }
  }
  try {
    http.url`http://127.0.0.1/${1}`;
  } catch (e) {
    console.log(String(e));
  }
  post('http://127.0.0.1:1/', 'x');
}
