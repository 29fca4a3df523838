// Without a result there is the usual report.
export default function () {}

export function handleSummary() {
  console.log('called');
  return null;
}
