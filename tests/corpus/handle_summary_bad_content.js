// One bad value, and nothing is written.
export default function () {}

export function handleSummary() {
  return { stdout: 5 };
}
