import { sleep } from 'k6';

export default function () {
  for (const seconds of [Infinity, 1e300, 9.3e9, -1, -Infinity, NaN]) {
    const before = Date.now();
    sleep(seconds);
    console.log(seconds, Date.now() - before < 10000);
  }
}
