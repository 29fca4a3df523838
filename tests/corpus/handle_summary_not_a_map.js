// There is no report at all.
export default function () {}

export function handleSummary() {
  return ['not', 'a', 'map'];
}
