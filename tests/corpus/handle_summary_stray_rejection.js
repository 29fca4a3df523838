// A rejection that is not the function's own is told, no more.
export default function () {}

export function handleSummary() {
  Promise.reject(new Error('stray'));
  return { stdout: 'written\n' };
}
