// args: --stage 900ms:3 --stage 1200ms:3

import { sleep } from 'k6';

export default function () {
  console.log(`VU ${__VU} begins its iteration ${__ITER}`);
  sleep(1.8);
}
