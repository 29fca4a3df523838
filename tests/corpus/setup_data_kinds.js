export function setup() {
  return { none: undefined, nil: null, text: 'é', nested: { list: [1, [2]] }, yes: true, n: 1.5 };
}

export default function (data) {
  console.log(JSON.stringify(data, Object.keys(data).sort()));
  console.log(`${data.nested.list[1][0]}`);
}

