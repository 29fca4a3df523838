// args: --vus 2 --iterations 2
// The init code runs once to read options, once for each VU, for setup, for teardown and for the summary.
// unordered
console.log(`init with __VU ${__VU}`);

export function setup() {}

export default function () {}

export function teardown() {}
