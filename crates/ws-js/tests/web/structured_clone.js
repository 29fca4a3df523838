const source = { a: [1, 'x', null, undefined, 5n, NaN], d: new Date(0), m: new Map([[{ k: 1 }, new Set([2])]]), r: /x/gi, e: new RangeError('boom'), b: new Uint8Array([1, 2]), s: Object('boxed') };
source.self = source;
const copy = structuredClone(source);
log(copy !== source, copy.self === copy, copy.a.length, copy.a[4] === 5n, Number.isNaN(copy.a[5]), copy.d.getTime(), [...copy.m][0][0].k, [...copy.m][0][1].has(2));
log(String(copy.r), copy.e instanceof RangeError, copy.e.message, copy.b.join(), copy.b.buffer !== source.b.buffer, typeof copy.s);
class A { constructor() { this.x = 1; } get y() { return 2; } }
const a = structuredClone(new A());
log(a instanceof A, a.x, a.y, structuredClone('x'), structuredClone(undefined));
const shared = { n: 1 };
const pair = structuredClone([shared, shared]);
log(pair[0] === pair[1]);
