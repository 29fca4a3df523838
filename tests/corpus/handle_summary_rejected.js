// without k6: it takes the reason of the rejection for the result
// A rejected promise is an exception: the usual report is printed.
export default function () {}

export async function handleSummary() {
  throw new Error('boom');
}
