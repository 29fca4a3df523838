// The functions and objects of the platform that are no classes of a standard of their own.
(function (native, web) {
  'use strict';

  const { need } = web('idl');

  // The class is made when there is an exception to make.
  function exception(message, name) {
    return new (web('DOMException'))(message, name);
  }

  // An object with the prototype of a class that cannot be constructed.
  function only(name, members) {
    const prototype = Object.defineProperties({}, Object.getOwnPropertyDescriptors(members));
    const Class = { [name]: function () { throw new TypeError('Illegal constructor'); } }[name];
    Object.defineProperty(Class, 'prototype', { value: prototype, writable: false });
    Object.defineProperty(prototype, 'constructor', { value: Class, writable: true, configurable: true });
    Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
    return Object.create(prototype);
  }

  const performance = only('Performance', {
    get timeOrigin() { return native.timeOrigin(); },
    now() { return native.now(); },
    toJSON() { return { timeOrigin: native.timeOrigin() }; },
  });

  const INTEGERS = [
    'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
    'BigInt64Array', 'BigUint64Array',
  ];
  const kindOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

  const crypto = only('Crypto', {
    getRandomValues(array) {
      const what = "Failed to execute 'getRandomValues' on 'Crypto'";
      need(1, arguments.length, what);
      if (!ArrayBuffer.isView(array)) {
        throw new TypeError(`${what}: parameter 1 is not of type 'ArrayBufferView'.`);
      }
      const kind = Reflect.apply(kindOf, array, []) ?? 'DataView';
      if (!INTEGERS.includes(kind)) {
        const text = `${what}: The provided ArrayBufferView is of type '${kind}', which is not an integer array type.`;
        throw exception(text, 'TypeMismatchError');
      }
      if (array.byteLength > 65536) {
        const text = `${what}: The ArrayBufferView's byte length (${array.byteLength}) exceeds the number of bytes of entropy available via this API (65536).`;
        throw exception(text, 'QuotaExceededError');
      }
      native.fillRandom(array);
      return array;
    },
    randomUUID() { return native.randomUuid(); },
    get subtle() { throw exception('crypto.subtle is not supported yet', 'NotSupportedError'); },
  });

  function atob(data) {
    need(1, arguments.length, "Failed to execute 'atob'");
    const decoded = native.decodeBase64(`${data}`);
    if (decoded === null) {
      const text = "Failed to execute 'atob': The string to be decoded is not correctly encoded.";
      throw exception(text, 'InvalidCharacterError');
    }
    return decoded;
  }

  function btoa(data) {
    need(1, arguments.length, "Failed to execute 'btoa'");
    const encoded = native.encodeBase64(`${data}`);
    if (encoded === null) {
      const text = "Failed to execute 'btoa': The string to be encoded contains characters outside of the Latin1 range.";
      throw exception(text, 'InvalidCharacterError');
    }
    return encoded;
  }

  // What the callback throws rejects a promise that nobody handles: that is how it is reported.
  async function later(callback) {
    await undefined;
    Reflect.apply(callback, undefined, []);
  }

  function queueMicrotask(callback) {
    need(1, arguments.length, "Failed to execute 'queueMicrotask'");
    if (typeof callback !== 'function') {
      throw new TypeError("Failed to execute 'queueMicrotask': parameter 1 is not of type 'Function'.");
    }
    later(callback);
  }

  function structuredClone(value, options = undefined) {
    need(1, arguments.length, "Failed to execute 'structuredClone'");
    const isNothing = options === undefined || options === null;
    if (!isNothing && typeof options !== 'object' && typeof options !== 'function') {
      throw new TypeError("Failed to execute 'structuredClone': The provided value is not an object.");
    }
    const transfer = options?.transfer;
    if (transfer !== undefined && typeof transfer?.[Symbol.iterator] !== 'function') {
      throw new TypeError("Failed to execute 'structuredClone': member transfer is not iterable.");
    }
    const list = transfer === undefined ? [] : [...transfer];
    list.forEach((object, index) => {
      if (!(object instanceof ArrayBuffer) || list.indexOf(object) !== index || object.detached) {
        const text = `Failed to execute 'structuredClone': Value at index ${index} could not be transferred.`;
        throw exception(text, 'DataCloneError');
      }
    });
    return native.clone(value, list, (message) => exception(message, 'DataCloneError'));
  }

  return { performance, crypto, atob, btoa, queueMicrotask, structuredClone };
})
