import { parseDuration } from 'https://jslib.k6.io/k6-utils/1.3.0/index.js';
log(['1m30.5s', '500', '1d2h3m4s5ms', '0.5h', '2s500', '.5s'].map(parseDuration).join());
for (const text of ['', null, undefined, '5x', '1s2s', 'abc', '1s 2m']) {
  try {
    log(parseDuration(text));
  } catch (e) {
    log(e.message);
  }
}
