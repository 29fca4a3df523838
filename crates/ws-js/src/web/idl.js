// What Web IDL asks of all classes and functions.
(function () {
  'use strict';

  // Attributes and methods are enumerable, as Web IDL says.
  function finish(Class, constants = {}) {
    const { prototype, name } = Class;
    for (const object of [prototype, Class]) {
      for (const key of Object.getOwnPropertyNames(object)) {
        const isOurs = key !== 'constructor' && !(object === Class && ['length', 'name', 'prototype'].includes(key));
        if (isOurs) Object.defineProperty(object, key, { enumerable: true });
      }
      for (const [key, value] of Object.entries(constants)) {
        Object.defineProperty(object, key, { value, enumerable: true });
      }
    }
    Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  }

  function need(count, given, what) {
    if (given < count) {
      const s = count === 1 ? '' : 's';
      throw new TypeError(`${what}: ${count} argument${s} required, but only ${given} present.`);
    }
  }

  return { idl: { finish, need } };
})
