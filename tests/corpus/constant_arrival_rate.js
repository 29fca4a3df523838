// unordered

import { sleep } from 'k6';

export const options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      rate: 4,
      timeUnit: '2s',
      duration: '2700ms',
      preAllocatedVUs: 6,
      exec: 'quick',
    },
    short: {
      executor: 'constant-arrival-rate',
      rate: 2,
      duration: '1700ms',
      preAllocatedVUs: 1,
      maxVUs: 1,
      gracefulStop: '0s',
    },
  },
};

export function quick() {
  console.log('in time');
}

export default function () {
  console.log('occupies the only VU');
  sleep(30);
}
