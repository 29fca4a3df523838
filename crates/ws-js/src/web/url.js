// URL and URLSearchParams (URL standard, sections 5 and 6). What a URL means is the natives' business.
(function (native, web) {
  'use strict';

  const { finish, need } = web('idl');

  let listOf, attach, reload;

  // A USVString: lone surrogates are replaced.
  const text = (value) => `${value}`.toWellFormed();

  class URLSearchParams {
    #list = [];
    // The URL whose query this is.
    #url = null;

    constructor(init = '') {
      const what = "Failed to construct 'URLSearchParams'";
      if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
        init = text(init);
        this.#list = native.parseQuery(init.startsWith('?') ? init.slice(1) : init);
        return;
      }
      const iterator = init[Symbol.iterator];
      if (iterator !== undefined && iterator !== null) {
        if (typeof iterator !== 'function') throw new TypeError(`${what}: The object is not iterable.`);
        for (const pair of init) {
          if ((typeof pair !== 'object' && typeof pair !== 'function') || typeof pair?.[Symbol.iterator] !== 'function') {
            throw new TypeError(`${what}: The provided value cannot be converted to a sequence.`);
          }
          const [...both] = pair;
          if (both.length !== 2) {
            throw new TypeError(`${what}: Sequence initializer must only contain pair elements`);
          }
          this.#list.push([text(both[0]), text(both[1])]);
        }
        return;
      }
      const record = new Map();
      for (const key of Reflect.ownKeys(init)) {
        if (Reflect.getOwnPropertyDescriptor(init, key)?.enumerable) {
          // A symbol has no text: this throws.
          record.set(typeof key === 'symbol' ? '' + key : text(key), text(init[key]));
        }
      }
      this.#list = [...record];
    }

    static {
      listOf = (params) => params.#list;
      attach = (params, url) => { params.#url = url; };
      reload = (params, query) => { params.#list = native.parseQuery(query); };
    }

    get size() { return this.#list.length; }

    append(name, value) {
      this.#list;
      need(2, arguments.length, "Failed to execute 'append' on 'URLSearchParams'");
      this.#list.push([text(name), text(value)]);
      this.#update();
    }

    delete(name, value = undefined) {
      this.#list;
      need(1, arguments.length, "Failed to execute 'delete' on 'URLSearchParams'");
      name = text(name);
      if (value !== undefined) value = text(value);
      this.#list = this.#list.filter(([n, v]) => n !== name || (value !== undefined && v !== value));
      this.#update();
    }

    get(name) {
      this.#list;
      need(1, arguments.length, "Failed to execute 'get' on 'URLSearchParams'");
      name = text(name);
      return this.#list.find(([n]) => n === name)?.[1] ?? null;
    }

    getAll(name) {
      this.#list;
      need(1, arguments.length, "Failed to execute 'getAll' on 'URLSearchParams'");
      name = text(name);
      return this.#list.filter(([n]) => n === name).map(([, v]) => v);
    }

    has(name, value = undefined) {
      this.#list;
      need(1, arguments.length, "Failed to execute 'has' on 'URLSearchParams'");
      name = text(name);
      if (value !== undefined) value = text(value);
      return this.#list.some(([n, v]) => n === name && (value === undefined || v === value));
    }

    set(name, value) {
      this.#list;
      need(2, arguments.length, "Failed to execute 'set' on 'URLSearchParams'");
      name = text(name);
      value = text(value);
      const first = this.#list.find(([n]) => n === name);
      if (first === undefined) {
        this.#list.push([name, value]);
      } else {
        first[1] = value;
        this.#list = this.#list.filter((pair) => pair[0] !== name || pair === first);
      }
      this.#update();
    }

    sort() {
      // By UTF-16 units, as comparison does.
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#update();
    }

    forEach(callback, thisArg = undefined) {
      this.#list;
      need(1, arguments.length, "Failed to execute 'forEach' on 'URLSearchParams'");
      if (typeof callback !== 'function') {
        throw new TypeError("Failed to execute 'forEach' on 'URLSearchParams': parameter 1 is not of type 'Function'.");
      }
      for (let index = 0; index < this.#list.length; index++) {
        const [name, value] = this.#list[index];
        Reflect.apply(callback, thisArg, [value, name, this]);
      }
    }

    entries() { return iterate(this, ([name, value]) => [name, value]); }
    keys() { return iterate(this, ([name]) => name); }
    values() { return iterate(this, ([, value]) => value); }

    toString() { return native.formatQuery(this.#list); }

    #update() {
      if (this.#url !== null) this.#url(native.formatQuery(this.#list));
    }
  }
  finish(URLSearchParams);
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: URLSearchParams.prototype.entries, writable: true, configurable: true,
  });

  const IteratorPrototype = {
    __proto__: Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
    [Symbol.toStringTag]: 'URLSearchParams Iterator',
  };

  // Sees what changes while it is under way.
  function iterate(params, select) {
    listOf(params);
    let index = 0;
    const next = () => {
      const pair = listOf(params)[index++];
      return pair === undefined ? { value: undefined, done: true } : { value: select(pair), done: false };
    };
    return Object.defineProperty({ __proto__: IteratorPrototype }, 'next', { value: next });
  }

  // The components that the natives give, in their order.
  const PARTS = [
    'href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash',
  ];
  const [HREF, ORIGIN, PROTOCOL, USERNAME, PASSWORD, HOST, HOSTNAME, PORT, PATHNAME, SEARCH, HASH] = PARTS.keys();

  class URL {
    #parts;
    #params = null;

    constructor(url, base = undefined) {
      need(1, arguments.length, "Failed to construct 'URL'");
      const parts = native.parse(text(url), base === undefined ? undefined : text(base));
      if (parts === null) throw new TypeError(`Failed to construct 'URL': Invalid URL: ${text(url)}`);
      this.#parts = parts;
    }

    static canParse(url, base = undefined) {
      need(1, arguments.length, "Failed to execute 'canParse' on 'URL'");
      return native.parse(text(url), base === undefined ? undefined : text(base)) !== null;
    }

    static parse(url, base = undefined) {
      need(1, arguments.length, "Failed to execute 'parse' on 'URL'");
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }

    get href() { return this.#parts[HREF]; }
    set href(value) {
      const parts = native.parse(text(value), undefined);
      if (parts === null) throw new TypeError(`Failed to set the 'href' property on 'URL': Invalid URL: ${text(value)}`);
      this.#parts = parts;
      this.#reload();
    }

    get origin() { return this.#parts[ORIGIN]; }
    get protocol() { return this.#parts[PROTOCOL]; }
    set protocol(value) { this.#set(PROTOCOL, value); }
    get username() { return this.#parts[USERNAME]; }
    set username(value) { this.#set(USERNAME, value); }
    get password() { return this.#parts[PASSWORD]; }
    set password(value) { this.#set(PASSWORD, value); }
    get host() { return this.#parts[HOST]; }
    set host(value) { this.#set(HOST, value); }
    get hostname() { return this.#parts[HOSTNAME]; }
    set hostname(value) { this.#set(HOSTNAME, value); }
    get port() { return this.#parts[PORT]; }
    set port(value) { this.#set(PORT, value); }
    get pathname() { return this.#parts[PATHNAME]; }
    set pathname(value) { this.#set(PATHNAME, value); }
    get search() { return this.#parts[SEARCH]; }
    set search(value) {
      this.#set(SEARCH, value);
      this.#reload();
    }
    get hash() { return this.#parts[HASH]; }
    set hash(value) { this.#set(HASH, value); }

    get searchParams() {
      if (this.#params === null) {
        this.#params = new URLSearchParams(this.#parts[SEARCH]);
        attach(this.#params, (query) => this.#set(SEARCH, query));
      }
      return this.#params;
    }

    toString() { return this.#parts[HREF]; }
    toJSON() { return this.#parts[HREF]; }

    #set(part, value) {
      this.#parts = native.change(this.#parts[HREF], PARTS[part], text(value));
    }

    #reload() {
      if (this.#params !== null) reload(this.#params, this.#parts[SEARCH].slice(1));
    }
  }
  finish(URL);

  return { URL, URLSearchParams };
})
