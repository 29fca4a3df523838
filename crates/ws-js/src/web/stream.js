// The stream of a blob's contents: a ReadableStream that was filled and closed when it was made.
(function () {
  'use strict';

  const inside = Symbol('inside');
  let takeAll, release, isLocked;

  class ReadableStream {
    #chunks;
    #reader = null;

    constructor(key = undefined, chunks = undefined) {
      if (key !== inside) throw new TypeError('constructing a ReadableStream is not supported yet');
      this.#chunks = chunks;
    }

    static {
      takeAll = (stream) => stream.#chunks.splice(0);
      release = (stream) => { stream.#reader = null; };
      isLocked = (stream) => stream.#reader !== null;
      ReadableStreamDefaultReader = class ReadableStreamDefaultReader {
        #stream;
        #closed;

        constructor(stream) {
          if (typeof stream !== 'object' || stream === null || !(#chunks in stream)) {
            throw new TypeError("Failed to construct 'ReadableStreamDefaultReader': parameter 1 is not of type 'ReadableStream'.");
          }
          if (stream.#reader !== null) throw new TypeError('the stream is locked to a reader');
          this.#stream = stream;
          stream.#reader = this;
          this.#closed = Promise.withResolvers();
          this.#closed.promise.catch(() => {});
          if (stream.#chunks.length === 0) this.#closed.resolve();
        }

        get closed() { return this.#closed.promise; }

        async read() {
          const stream = this.#held('read');
          if (stream.#chunks.length === 0) return { value: undefined, done: true };
          const value = stream.#chunks.shift();
          if (stream.#chunks.length === 0) this.#closed.resolve();
          return { value, done: false };
        }

        async cancel() {
          this.#held('cancel').#chunks.length = 0;
          this.#closed.resolve();
        }

        releaseLock() {
          const stream = this.#stream;
          if (stream === null) return;
          stream.#reader = null;
          this.#stream = null;
          const error = new TypeError('the reader was released');
          this.#closed.reject(error);
          this.#closed = { promise: Promise.reject(error) };
          this.#closed.promise.catch(() => {});
        }

        #held(what) {
          if (this.#stream === null) throw new TypeError(`cannot ${what}: the reader was released`);
          return this.#stream;
        }
      };
    }

    get locked() { return isLocked(this); }

    getReader(options = undefined) {
      if (options?.mode !== undefined) throw new TypeError(`a reader of mode '${options.mode}' is not supported yet`);
      return new ReadableStreamDefaultReader(this);
    }

    async cancel() {
      if (isLocked(this)) throw new TypeError('cannot cancel a locked stream');
      takeAll(this);
    }

    tee() {
      if (isLocked(this)) throw new TypeError('cannot tee a locked stream');
      const chunks = takeAll(this);
      this.getReader();
      return [new ReadableStream(inside, [...chunks]), new ReadableStream(inside, chunks)];
    }

    pipeTo() { return Promise.reject(new TypeError('ReadableStream.pipeTo is not supported yet')); }
    pipeThrough() { throw new TypeError('ReadableStream.pipeThrough is not supported yet'); }

    async *values({ preventCancel = false } = {}) {
      const reader = this.getReader();
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) return;
          yield value;
        }
      } finally {
        if (!preventCancel) await reader.cancel();
        reader.releaseLock();
      }
    }
  }
  var ReadableStreamDefaultReader;
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
    value: ReadableStream.prototype.values, writable: true, configurable: true,
  });
  Object.defineProperty(ReadableStream.prototype, Symbol.toStringTag, { value: 'ReadableStream', configurable: true });

  return { streamOf: (text) => new ReadableStream(inside, text === '' ? [] : [text]) };
})
