// An exception leaves the usual report, and the exit code.
export default function () {}

export function handleSummary() {
  throw new Error('boom');
}
