import { check } from 'https://jslib.k6.io/k6-utils/1.5.0/index.js';
log(check(1, { one: (v) => v === 1, two: true }), check(1, { no: 0 }), check(1, {}));
const pending = check(1, { later: async (v) => v === 1, now: true });
log(pending instanceof Promise, await pending, await check(1, { a: Promise.resolve(0), b: 1 }));
log(await check(Promise.resolve(5), { five: (v) => v === 5 }));
const message = (f) => { try { return f(); } catch (e) { return String(e); } };
log(message(() => check(1)), message(() => check(1, null)), message(() => check(1, { x() { throw new RangeError('r'); } })));
log(await check(1, { async x() { throw new RangeError('late'); } }).catch(String));
