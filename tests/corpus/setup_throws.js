export function setup() {
  throw new Error('setup is broken');
}

export default function () {
  console.log('must not run');
}

export function teardown() {
  console.log('must not run');
}
