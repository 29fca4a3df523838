for (const value of [() => 1, Symbol('s'), { f() {} }, new WeakMap(), [1, class {}]]) log(caught(() => structuredClone(value)));
log(caught(() => structuredClone()), caught(() => structuredClone({ get x() { throw new RangeError(); } })));
