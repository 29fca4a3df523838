const get = (Class, name) => Object.getOwnPropertyDescriptor(Class.prototype, name).get;
for (const [Class, name] of [[Event, 'type'], [AbortSignal, 'aborted'], [URL, 'href'], [URLSearchParams, 'size'], [TextDecoder, 'encoding'], [TextEncoder, 'encoding'], [AbortController, 'signal']]) {
  log(Class.name, name, caught(() => get(Class, name).call({})));
}
log(caught(() => URLSearchParams.prototype.append.call({}, 'a', 'b')), caught(() => TextEncoder.prototype.encode.call({})), caught(() => URL.prototype.toString.call({})));
