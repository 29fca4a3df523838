const e = new DOMException('text', 'AbortError');
log(e.name, e.message, e.code, String(e), e instanceof Error, e instanceof DOMException);
log(Object.prototype.toString.call(e), typeof e.stack, Object.keys(e).length);
const plain = new DOMException();
log(plain.name, JSON.stringify(plain.message), plain.code, String(plain));
log(new DOMException('m', 'Mine').code, new DOMException(5, 6).name);
log(caught(() => DOMException('x')), DOMException.length, DOMException.name);
for (const name of ['IndexSizeError', 'NotFoundError', 'InvalidStateError', 'SyntaxError', 'DataCloneError', 'TimeoutError', 'EncodingError']) {
  log(name, new DOMException('', name).code);
}
log(DOMException.ABORT_ERR, e.DATA_CLONE_ERR, DOMException.INDEX_SIZE_ERR, Object.isFrozen(DOMException));
