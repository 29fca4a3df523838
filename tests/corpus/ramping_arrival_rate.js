export const options = {
  scenarios: {
    ramp: {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      stages: [
        { duration: '2s', target: 2 },
        { duration: '0s', target: 4 },
        { duration: '900ms', target: 4 },
      ],
      preAllocatedVUs: 5,
    },
  },
};

// The rate's integral reaches 1 and 2 in the first stage, 3 to 5 in the last.
export default function () {
  console.log('due');
}
