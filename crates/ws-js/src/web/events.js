// Event, CustomEvent, EventTarget, AbortController and AbortSignal (DOM standard, sections 2 and 3).
(function (native, web) {
  'use strict';

  const { finish, need } = web('idl');

  const CAPTURING = 1, AT_TARGET = 2, BUBBLING = 3;

  // The class is made when there is an exception to make.
  function exception(message, name) {
    return new (web('DOMException'))(message, name);
  }

  let stateOf, isEvent, dispatch, isSignal, abortSignal, onAbort, newSignal;

  // A dictionary: an object or nothing.
  function dictionary(value, what) {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' && typeof value !== 'function') {
      throw new TypeError(`${what}: The provided value is not an object.`);
    }
    return value;
  }

  class Event {
    #state;

    constructor(type, init = undefined) {
      const what = `Failed to construct '${new.target.name}'`;
      need(1, arguments.length, what);
      type = `${type}`;
      const { bubbles = false, cancelable = false, composed = false } = dictionary(init, what);
      this.#state = {
        type,
        bubbles: !!bubbles,
        cancelable: !!cancelable,
        composed: !!composed,
        target: null,
        currentTarget: null,
        phase: 0,
        time: native.now(),
        trusted: false,
        dispatching: false,
        canceled: false,
        stopped: false,
        stoppedNow: false,
        passive: false,
      };
    }

    static {
      isEvent = (value) => typeof value === 'object' && value !== null && #state in value;
      stateOf = (event) => event.#state;
    }

    get type() { return this.#state.type; }
    get target() { return this.#state.target; }
    get srcElement() { return this.#state.target; }
    get currentTarget() { return this.#state.currentTarget; }
    get eventPhase() { return this.#state.phase; }
    get bubbles() { return this.#state.bubbles; }
    get cancelable() { return this.#state.cancelable; }
    get composed() { return this.#state.composed; }
    get defaultPrevented() { return this.#state.canceled; }
    get isTrusted() { return this.#state.trusted; }
    get timeStamp() { return this.#state.time; }

    get returnValue() { return !this.#state.canceled; }
    set returnValue(value) { if (!value) this.preventDefault(); }
    get cancelBubble() { return this.#state.stopped; }
    set cancelBubble(value) { if (value) this.#state.stopped = true; }

    composedPath() {
      const { currentTarget } = this.#state;
      return currentTarget === null ? [] : [currentTarget];
    }

    stopPropagation() { this.#state.stopped = true; }

    stopImmediatePropagation() {
      this.#state.stopped = true;
      this.#state.stoppedNow = true;
    }

    preventDefault() {
      const state = this.#state;
      if (state.cancelable && !state.passive) state.canceled = true;
    }

    initEvent(type, bubbles = false, cancelable = false) {
      need(1, arguments.length, "Failed to execute 'initEvent' on 'Event'");
      const state = this.#state;
      if (state.dispatching) return;
      state.type = `${type}`;
      state.bubbles = !!bubbles;
      state.cancelable = !!cancelable;
      state.target = null;
      state.trusted = state.canceled = state.stopped = state.stoppedNow = false;
    }
  }
  finish(Event, { NONE: 0, CAPTURING_PHASE: CAPTURING, AT_TARGET, BUBBLING_PHASE: BUBBLING });

  class CustomEvent extends Event {
    #detail;

    constructor(type, init = undefined) {
      need(1, arguments.length, "Failed to construct 'CustomEvent'");
      super(type, init);
      const { detail = null } = init ?? {};
      this.#detail = detail;
    }

    get detail() { return this.#detail; }

    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
      need(1, arguments.length, "Failed to execute 'initCustomEvent' on 'CustomEvent'");
      if (stateOf(this).dispatching) return;
      this.initEvent(type, bubbles, cancelable);
      this.#detail = detail;
    }
  }
  finish(CustomEvent);

  function captureOf(options) {
    return !!(typeof options === 'object' && options !== null || typeof options === 'function' ? options.capture : options);
  }

  function listenerOf(callback, what) {
    if (callback === null || callback === undefined) return null;
    if (typeof callback !== 'object' && typeof callback !== 'function') {
      throw new TypeError(`${what}: parameter 2 is not of type 'Object'.`);
    }
    return callback;
  }

  class EventTarget {
    #listeners = [];

    addEventListener(type, callback, options = undefined) {
      const what = "Failed to execute 'addEventListener' on 'EventTarget'";
      need(2, arguments.length, what);
      const listeners = this.#listeners;
      type = `${type}`;
      callback = listenerOf(callback, what);
      const isDictionary = typeof options === 'object' && options !== null || typeof options === 'function';
      const { once = false, passive = false, signal } = isDictionary ? options : {};
      const capture = captureOf(options);
      if (signal !== undefined && !isSignal(signal)) {
        throw new TypeError(`${what}: member signal is not of type AbortSignal.`);
      }
      if (signal?.aborted || callback === null) return;
      const same = (other) => other.type === type && other.callback === callback && other.capture === capture;
      if (listeners.some(same)) return;
      const listener = { type, callback, capture, once: !!once, passive: !!passive, removed: false };
      listeners.push(listener);
      if (signal !== undefined) onAbort(signal, () => this.#remove(listener));
    }

    removeEventListener(type, callback, options = undefined) {
      const what = "Failed to execute 'removeEventListener' on 'EventTarget'";
      need(2, arguments.length, what);
      const listeners = this.#listeners;
      type = `${type}`;
      callback = listenerOf(callback, what);
      const capture = captureOf(options);
      const listener = listeners.find(
        (other) => other.type === type && other.callback === callback && other.capture === capture,
      );
      if (listener) this.#remove(listener);
    }

    dispatchEvent(event) {
      const what = "Failed to execute 'dispatchEvent' on 'EventTarget'";
      need(1, arguments.length, what);
      this.#listeners;
      if (!isEvent(event)) throw new TypeError(`${what}: parameter 1 is not of type 'Event'.`);
      const state = stateOf(event);
      if (state.dispatching) {
        throw exception(`${what}: The event is already being dispatched.`, 'InvalidStateError');
      }
      state.trusted = false;
      return this.#dispatch(event);
    }

    #remove(listener) {
      listener.removed = true;
      const index = this.#listeners.indexOf(listener);
      if (index !== -1) this.#listeners.splice(index, 1);
    }

    #dispatch(event) {
      const state = stateOf(event);
      state.dispatching = true;
      state.target = state.currentTarget = this;
      state.phase = AT_TARGET;
      // There is no tree: what is left of its two ways is that capturing listeners come first.
      for (const capture of [true, false]) {
        if (state.stopped) break;
        for (const listener of this.#listeners.slice()) {
          if (state.stoppedNow) break;
          if (listener.removed || listener.type !== state.type || listener.capture !== capture) continue;
          if (listener.once) this.#remove(listener);
          state.passive = listener.passive;
          call(listener.callback, this, event);
          state.passive = false;
        }
      }
      state.phase = 0;
      state.currentTarget = null;
      state.dispatching = state.stopped = state.stoppedNow = false;
      return !state.canceled;
    }

    static {
      dispatch = (target, event) => {
        stateOf(event).trusted = true;
        return target.#dispatch(event);
      };
    }
  }
  finish(EventTarget);

  // What a listener throws ends no dispatch: it is reported, and fails the iteration like a promise's rejection.
  function call(callback, target, event) {
    try {
      if (typeof callback === 'function') {
        Reflect.apply(callback, target, [event]);
        return;
      }
      const { handleEvent } = callback;
      if (typeof handleEvent !== 'function') {
        throw new TypeError("EventListener's handleEvent is not a function");
      }
      Reflect.apply(handleEvent, callback, [event]);
    } catch (error) {
      Promise.reject(error);
    }
  }

  const inside = Symbol('inside');

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    #algorithms = new Set();
    // Signals made by any(), and the signals that they were made of.
    #dependents = new Set();
    #sources = new Set();
    #handler = null;
    #handle = null;

    constructor(key = undefined) {
      if (key !== inside) throw new TypeError('Illegal constructor');
      super();
    }

    static abort(reason = undefined) {
      const signal = new AbortSignal(inside);
      signal.#aborted = true;
      signal.#reason = reason === undefined ? aborted() : reason;
      return signal;
    }

    static timeout(milliseconds) {
      const what = "Failed to execute 'timeout' on 'AbortSignal'";
      need(1, arguments.length, what);
      const number = Math.trunc(+milliseconds);
      if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) {
        throw new TypeError(`${what}: Value is outside the 'unsigned long long' value range.`);
      }
      const signal = new AbortSignal(inside);
      native.setTimeout(() => {
        signal.#abort(exception('The operation was aborted due to timeout', 'TimeoutError'));
      }, number);
      return signal;
    }

    static any(signals) {
      const what = "Failed to execute 'any' on 'AbortSignal'";
      need(1, arguments.length, what);
      if (typeof signals?.[Symbol.iterator] !== 'function') {
        throw new TypeError(`${what}: The provided value cannot be converted to a sequence.`);
      }
      const sources = [...signals];
      if (!sources.every(isSignal)) {
        throw new TypeError(`${what}: Failed to convert value to 'AbortSignal'.`);
      }
      const result = new AbortSignal(inside);
      const first = sources.find((source) => source.#aborted);
      if (first !== undefined) {
        result.#aborted = true;
        result.#reason = first.#reason;
        return result;
      }
      for (const source of sources) {
        // The sources of a dependent signal stand for it.
        for (const root of source.#sources.size > 0 ? source.#sources : [source]) {
          root.#dependents.add(result);
          result.#sources.add(root);
        }
      }
      return result;
    }

    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }

    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }

    get onabort() { return this.#handler; }

    set onabort(value) {
      const old = this.#handler;
      this.#handler = typeof value === 'function' || typeof value === 'object' ? value : null;
      if (old === null && this.#handler !== null) {
        this.#handle = (event) => {
          if (typeof this.#handler === 'function') return Reflect.apply(this.#handler, this, [event]);
        };
        this.addEventListener('abort', this.#handle);
      } else if (old !== null && this.#handler === null) {
        this.removeEventListener('abort', this.#handle);
      }
    }

    #abort(reason) {
      if (this.#aborted) return;
      const all = [this];
      for (const dependent of this.#dependents) {
        if (!dependent.#aborted) all.push(dependent);
      }
      const why = reason === undefined ? aborted() : reason;
      for (const signal of all) {
        signal.#aborted = true;
        signal.#reason = why;
        for (const source of signal.#sources) source.#dependents.delete(signal);
        signal.#sources.clear();
      }
      this.#dependents.clear();
      for (const signal of all) {
        const algorithms = [...signal.#algorithms];
        signal.#algorithms.clear();
        for (const algorithm of algorithms) algorithm();
        dispatch(signal, new Event('abort'));
      }
    }

    static {
      isSignal = (value) => typeof value === 'object' && value !== null && #aborted in value;
      abortSignal = (signal, reason) => signal.#abort(reason);
      onAbort = (signal, algorithm) => signal.#algorithms.add(algorithm);
      newSignal = () => new AbortSignal(inside);
    }
  }
  Object.defineProperty(AbortSignal, 'length', { value: 0 });
  finish(AbortSignal);

  function aborted() {
    return exception('This operation was aborted', 'AbortError');
  }

  class AbortController {
    #signal = newSignal();
    get signal() { return this.#signal; }
    abort(reason = undefined) { abortSignal(this.#signal, reason); }
  }
  finish(AbortController);

  return { Event, CustomEvent, EventTarget, AbortController, AbortSignal };
})
