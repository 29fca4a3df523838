import { Counter } from 'k6/metrics';

export const options = { throw: true };
const counter = new Counter('my_counter');

export default function () {
  for (const value of [NaN, null, 'abc', undefined, 1]) {
    try { console.log(`${counter.add(value)}`); } catch (e) { console.log(`${e.name}: ${e.message}`); }
  }
}
