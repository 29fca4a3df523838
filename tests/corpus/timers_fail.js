// args: --iterations 4
const kinds = ['timeout', 'interval', 'rejection', 'main'];

export default function () {
  const kind = kinds[__ITER];
  setTimeout(() => console.log('never'), 5000);
  setInterval(() => console.log('never'), 4000);
  setTimeout(() => console.log('never'), 3000);
  if (kind === 'timeout') setTimeout(() => { throw new Error('in a timeout'); }, 20);
  if (kind === 'interval') setInterval(() => { throw new TypeError('in an interval'); }, 20);
  if (kind === 'rejection') setTimeout(() => { Promise.reject(); }, 20);
  if (kind === 'main') throw new Error('in default');
}
