import { sleep } from 'k6';

export const options = {
  scenarios: {
    ramp: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: '600ms', target: 2 },
        { duration: '600ms', target: '0' },
        { duration: '2s', target: 0 },
        { duration: 0, target: 1 },
        { duration: '1s', target: 1 },
        { duration: '1s', target: 0 },
        { duration: '1h', target: 0 },
      ],
      gracefulRampDown: '300ms',
      gracefulStop: '0s',
      tags: { kind: 'ramp' },
    },
  },
};

// All are cut off.
export default function () {
  console.log('an iteration begins');
  sleep(30);
}
