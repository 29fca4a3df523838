// `SharedArray`: an array that all VUs share. It is a proxy of an empty array, so that the methods of arrays and
// `Array.isArray` work; its elements are parsed anew at each look and frozen.
(natives) => {
  'use strict';
  const { make, lengthOf, elementOf } = natives;
  const { freeze, values } = Object;

  const frozen = (value) => {
    if (typeof value === 'object' && value !== null) {
      for (const inner of values(value)) frozen(inner);
      freeze(value);
    }
    return value;
  };

  const refuse = () => {
    throw new TypeError('SharedArray is immutable');
  };

  // The index that a property's name stands for, or -1: '1' does, '01' does not.
  const indexOf = (key, length) => {
    if (typeof key !== 'string') return -1;
    const index = key >>> 0;
    return index < length && String(index) === key ? index : -1;
  };

  const handler = (share, length) => ({
    get(target, key, receiver) {
      const index = indexOf(key, length);
      if (index >= 0) return frozen(elementOf(share, index));
      return key === 'length' ? length : Reflect.get(target, key, receiver);
    },
    has: (target, key) => indexOf(key, length) >= 0 || Reflect.has(target, key),
    ownKeys: (target) => [...Array(length).keys()].map(String).concat(Reflect.ownKeys(target)),
    getOwnPropertyDescriptor(target, key) {
      const index = indexOf(key, length);
      if (index >= 0) {
        return { value: frozen(elementOf(share, index)), writable: true, enumerable: true, configurable: true };
      }
      const own = Reflect.getOwnPropertyDescriptor(target, key);
      return key === 'length' ? { ...own, value: length } : own;
    },
    set: refuse,
    deleteProperty: refuse,
    defineProperty: refuse,
    preventExtensions: refuse,
  });

  function SharedArray(name, produce) {
    const share = make(name, produce);
    return new Proxy([], handler(share, lengthOf(share)));
  }

  return { SharedArray };
}
