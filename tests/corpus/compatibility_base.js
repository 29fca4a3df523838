// env: K6_COMPATIBILITY_MODE=base
export default function () {
  console.log(typeof global, typeof globalThis);
}
