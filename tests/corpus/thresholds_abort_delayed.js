// The run is over before the delay is, so the failed threshold does not abort it.
import { sleep } from 'k6';

export const options = {
  vus: 1,
  iterations: 1,
  thresholds: { iterations: [{ threshold: 'count<1', abortOnFail: true, delayAbortEval: '1m' }] },
};

export default function () {
  sleep(2.5);
}
