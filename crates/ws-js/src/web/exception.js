// DOMException (Web IDL, section 2.8).
(function () {
  'use strict';

  // The constants, in the order of their values, which begin with 1.
  const CONSTANTS = [
    'INDEX_SIZE_ERR', 'DOMSTRING_SIZE_ERR', 'HIERARCHY_REQUEST_ERR', 'WRONG_DOCUMENT_ERR', 'INVALID_CHARACTER_ERR',
    'NO_DATA_ALLOWED_ERR', 'NO_MODIFICATION_ALLOWED_ERR', 'NOT_FOUND_ERR', 'NOT_SUPPORTED_ERR', 'INUSE_ATTRIBUTE_ERR',
    'INVALID_STATE_ERR', 'SYNTAX_ERR', 'INVALID_MODIFICATION_ERR', 'NAMESPACE_ERR', 'INVALID_ACCESS_ERR',
    'VALIDATION_ERR', 'TYPE_MISMATCH_ERR', 'SECURITY_ERR', 'NETWORK_ERR', 'ABORT_ERR', 'URL_MISMATCH_ERR',
    'QUOTA_EXCEEDED_ERR', 'TIMEOUT_ERR', 'INVALID_NODE_TYPE_ERR', 'DATA_CLONE_ERR',
  ];
  // The names of errors that have such a value.
  const CODES = {
    __proto__: null,
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5,
    NoModificationAllowedError: 7, NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10,
    InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14, InvalidAccessError: 15,
    TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20, URLMismatchError: 21,
    QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
  };

  // A field that only objects of this file have, on an object that is an Error already: it has a stack.
  class Given {
    constructor(object) { return object; }
  }
  class Fields extends Given {
    #name;
    #message;
    constructor(error, name, message) {
      super(error);
      this.#name = name;
      this.#message = message;
    }
    static name(error) { return error.#name; }
    static message(error) { return error.#message; }
  }

  function DOMException(message = '', name = 'Error') {
    if (new.target === undefined) {
      throw new TypeError("Class constructor DOMException cannot be invoked without 'new'");
    }
    message = `${message}`;
    name = `${name}`;
    const error = new Error();
    Object.setPrototypeOf(error, new.target.prototype);
    new Fields(error, name, message);
    return error;
  }

  const members = {
    get name() { return Fields.name(this); },
    get message() { return Fields.message(this); },
    get code() { return CODES[Fields.name(this)] ?? 0; },
  };
  Object.defineProperty(DOMException, 'length', { value: 0 });
  Object.defineProperty(DOMException, 'prototype', { writable: false });
  Object.setPrototypeOf(DOMException.prototype, Error.prototype);
  Object.defineProperties(DOMException.prototype, Object.getOwnPropertyDescriptors(members));
  Object.defineProperty(DOMException.prototype, Symbol.toStringTag, { value: 'DOMException', configurable: true });
  CONSTANTS.forEach((name, index) => {
    for (const object of [DOMException, DOMException.prototype]) {
      Object.defineProperty(object, name, { value: index + 1, enumerable: true });
    }
  });

  return { DOMException };
})
