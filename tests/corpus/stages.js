// args: --stage 900ms:3 --stage 1200ms:3

import { sleep } from 'k6';

// Outlasts the stages, so that each VU has one iteration.
export default function () {
  console.log('a VU begins');
  sleep(3);
}
