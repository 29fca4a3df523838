// TextEncoder and TextDecoder (Encoding standard, sections 7 and 8).
(function (native, web) {
  'use strict';

  const { finish, need } = web('idl');

  class TextEncoder {
    #brand = true;

    get encoding() { this.#brand; return 'utf-8'; }

    encode(input = '') {
      this.#brand;
      return native.encode(`${input}`);
    }

    encodeInto(source, destination) {
      this.#brand;
      const what = "Failed to execute 'encodeInto' on 'TextEncoder'";
      need(2, arguments.length, what);
      source = `${source}`;
      if (!(destination instanceof Uint8Array)) {
        throw new TypeError(`${what}: parameter 2 is not of type 'Uint8Array'.`);
      }
      const [read, written] = native.encodeInto(source, destination);
      return { read, written };
    }
  }
  finish(TextEncoder);

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    // Bytes of a character that is not complete yet.
    #rest = null;
    // Whether the beginning of the stream, where a byte order mark may be, is over.
    #begun = false;

    constructor(label = 'utf-8', options = undefined) {
      label = `${label}`;
      const encoding = native.encodingOf(label);
      if (encoding === null) {
        throw new RangeError(`Failed to construct 'TextDecoder': The encoding label provided ('${label}') is invalid.`);
      }
      if (options !== undefined && options !== null && typeof options !== 'object' && typeof options !== 'function') {
        throw new TypeError("Failed to construct 'TextDecoder': The provided value is not an object.");
      }
      const { fatal = false, ignoreBOM = false } = options ?? {};
      this.#encoding = encoding;
      this.#fatal = !!fatal;
      this.#ignoreBOM = !!ignoreBOM;
    }

    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }

    decode(input = undefined, options = undefined) {
      const { stream = false } = options ?? {};
      const what = "Failed to execute 'decode' on 'TextDecoder'";
      const isBytes = input === undefined || ArrayBuffer.isView(input) || input instanceof ArrayBuffer;
      if (!isBytes) {
        throw new TypeError(`${what}: parameter 1 is not of type 'ArrayBuffer' or 'ArrayBufferView'.`);
      }
      const answer = native.decode(this.#encoding, input, this.#rest, this.#fatal, !!stream);
      if (answer === null) {
        this.#rest = null;
        this.#begun = false;
        throw new TypeError('The encoded data was not valid.');
      }
      let [text, rest] = answer;
      this.#rest = rest;
      if (!this.#begun && text.length > 0) {
        this.#begun = true;
        // In windows-1252 there is none.
        const isMark = text.charCodeAt(0) === 0xFEFF && !this.#ignoreBOM;
        if (isMark && this.#encoding !== 'windows-1252') text = text.slice(1);
      }
      if (!stream) this.#begun = false;
      return text;
    }
  }
  finish(TextDecoder);

  return { TextEncoder, TextDecoder };
})
