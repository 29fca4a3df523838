import { randomSeed } from 'k6';

export default function () {
  randomSeed(42);
  const a = [Math.random(), Math.random()];
  randomSeed(42);
  const b = [Math.random(), Math.random()];
  console.log(`${a.join() === b.join()}`);
}
