export const options = {
  scenarios: { cut: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } },
};

export default function () {
  try {
    while (true);
  } catch (e) {
    console.log('must not be seen');
  } finally {
    console.log('must not be seen');
  }
}
