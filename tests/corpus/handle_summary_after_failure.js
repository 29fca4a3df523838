// There is a summary of what did not begin as well.
export function setup() {
  throw new Error('setup is broken');
}

export default function () {}

export function handleSummary(data) {
  return { stdout: `${'iterations' in data.metrics} ${data.setup_data}\n` };
}
