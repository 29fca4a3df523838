import ws from 'k6/ws';

export const options = {
  scenarios: {
    shared: { executor: 'shared-iterations', vus: 2, iterations: 3, exec: 'one', tags: { kind: 'a' }, env: { WHO: 'shared' } },
    each: { executor: 'per-vu-iterations', vus: 2, iterations: 2, exec: 'two', startTime: '500ms' },
  },
};

function visit() {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', () => socket.close()));
}

export function one() {
  console.log(`one ${__ENV.WHO}`);
  visit();
}

export function two() {
  console.log(`two ${__ENV.WHO}`);
  visit();
}
