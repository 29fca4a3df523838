// env: K6_SUMMARY_MODE=disabled
// since: 2.2.0
// Without a summary nobody asks the script, and its init code does not run again.
console.log(`init with __VU ${__VU}`);

export default function () {}

export function handleSummary() {
  console.log('must not run');
}
