for (const name of ['AbortController', 'AbortSignal', 'Blob', 'DOMException', 'Event', 'EventTarget', 'TextDecoder', 'TextEncoder', 'URL', 'URLSearchParams']) {
  const { writable, enumerable, configurable, value } = Object.getOwnPropertyDescriptor(globalThis, name);
  log(name, writable, enumerable, configurable, value === globalThis[name], value.name === name, typeof value);
}
log(['atob', 'btoa', 'queueMicrotask', 'structuredClone', 'crypto', 'performance'].map((name) => typeof globalThis[name]).join());
for (const Class of [AbortSignal, Event, EventTarget, TextEncoder, URL, URLSearchParams]) {
  const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Class, 'prototype');
  log(Class.name, writable, enumerable, configurable, Class.prototype.constructor === Class);
}
