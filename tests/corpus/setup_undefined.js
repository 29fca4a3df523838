export function setup() {}

export default function (data) {
  console.log(`${data}`);
}

export function teardown(data) {
  console.log(`${data}`);
}
