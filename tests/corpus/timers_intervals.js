export default function () {
  const log = [];
  let a = 0;
  // A period begins when the callback is over.
  const first = setInterval((...args) => {
    a += 1;
    log.push(`a${a}(${args})`);
    const from = Date.now();
    while (Date.now() - from < 20);
    if (a === 3) {
      clearInterval(first);
      // Twice, and what is not there: nothing happens.
      clearInterval(first);
      clearTimeout(12345);
      const again = setInterval(() => { log.push('again'); clearInterval(again); show(); }, 0);
    }
  }, 200, 'x', 1);
  const self = setTimeout(() => { clearTimeout(self); log.push('cleared itself'); }, 0);
  const other = setTimeout(() => log.push('never'), 0);
  clearTimeout(other);
  const pair = [];
  pair[0] = setTimeout(() => { log.push('first of a pair'); clearTimeout(pair[1]); }, 5);
  pair[1] = setTimeout(() => log.push('never'), 500);
  const show = () => { console.log(log.filter((entry) => entry !== 'first of a pair').join()); console.log(log.includes('first of a pair')); };
}
