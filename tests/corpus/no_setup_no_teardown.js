// args: --no-setup --no-teardown
export function setup() {
  console.log('must not run');
}

export default function (data) {
  console.log(`default ${data}`);
}

export function teardown() {
  console.log('must not run');
}
