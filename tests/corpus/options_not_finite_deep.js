export const options = { scenarios: { all: { executor: 'constant-vus', vus: 1, duration: '1s', tags: { deep: [{ at: -Infinity }] } } } };

export default function () {}
