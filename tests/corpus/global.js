global.counter = 1;

export default function () {
  console.log(typeof global, global === globalThis, global.counter, Object.keys(globalThis).includes('global'));
}
