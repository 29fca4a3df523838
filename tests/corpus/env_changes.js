// env: ONE=1
// env: TWO=2
// What a script does to __ENV: values become strings, changes of the init stage are gone in the first iteration.
const mine = (name) => /^(ONE|TWO|N|U|S|B|F|G|Y|D)$/.test(name);
Object.assign(__ENV, { N: null, U: undefined, S: 'text', B: true, F: 1.5, G: 10n, Y: Symbol('y') });
delete __ENV.TWO;
console.log(Object.keys(__ENV).filter(mine).sort().join());
console.log(Object.entries({ ...__ENV }).filter(([name]) => mine(name)).map(([n, v]) => `${n}:${typeof v}:${v}`).sort().join());
console.log('TWO' in __ENV, __ENV.TWO, __ENV.hasOwnProperty('ONE'), 'toString' in __ENV, __ENV.hasOwnProperty('toString'));
console.log(Object.prototype.toString.call(__ENV), __ENV.constructor === Object, `${__ENV}`);
try { __ENV.T = { toString() { throw new Error('x'); } }; } catch (e) { console.log(String(e), __ENV.T); }
try { Object.defineProperty(__ENV, 'A', { get() { return 1; } }); } catch (e) { console.log(String(e)); }
Object.defineProperty(__ENV, 'D', { value: 7 });
console.log(__ENV.D === '7', Object.getOwnPropertyDescriptor(__ENV, 'F').value);
const names = [];
for (const name in __ENV) if (mine(name)) names.push(name);
console.log(names.sort().join());

export default function () {
  console.log(__ENV.ONE, __ENV.TWO, __ENV.N, Object.keys(__ENV).filter(mine).sort().join());
  __ENV.ONE = 11;
  const env = __ENV;
  __ENV = { replaced: true };
  console.log(env.ONE === '11', JSON.stringify(__ENV));
}
