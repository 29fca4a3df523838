// since: 2.2.0
export default function () {
  console.log({ a: 1, b: [1, 'x'] });
  console.log([1, [2]], 'after');
  console.log({});
}
