import { setTimeout as fromModule } from 'k6/timers';

console.log('init begins');
setTimeout(() => console.log('init timer'), 20);
const value = await new Promise((resolve) => fromModule(() => resolve('awaited'), 10));
console.log(value);

export const options = { iterations: 1 };

export async function setup() {
  await new Promise((resolve) => setTimeout(resolve, 10));
  setTimeout(() => console.log('setup timer'), 20);
  return value;
}

export default async function (data) {
  console.log(`default ${data}`);
  await new Promise((resolve) => setTimeout(resolve, 10));
  console.log('default goes on');
}

export async function handleSummary() {
  const text = await new Promise((resolve) => setTimeout(() => resolve('summary'), 10));
  return { stdout: text };
}
