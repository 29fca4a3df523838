// without k6: it prints no report then
// The time limit leaves the usual report, and the exit code.
import { sleep } from 'k6';

export const options = { handleSummaryTimeout: '100ms' };

export default function () {}

export function handleSummary() {
  sleep(3600);
  return { stdout: 'must not be printed' };
}
