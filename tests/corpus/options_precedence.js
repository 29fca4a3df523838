// args: --iterations 5 --tag from=cli
// env: K6_VUS=2
// env: K6_ITERATIONS=4
// env: K6_TAGS=from:env
import { Counter } from 'k6/metrics';

export const options = { vus: 1, duration: '30s', tags: { from: 'script', more: 'x' } };
const counter = new Counter('my_counter');

export default function () {
  counter.add(1);
}
