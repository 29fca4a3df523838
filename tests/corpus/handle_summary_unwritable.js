// The rest is written all the same, and the exit code stays.
export default function () {}

export function handleSummary() {
  return { stdout: 'written\n', '/no/such/folder/file': 'lost' };
}
