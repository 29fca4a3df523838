const decoder = new TextDecoder('utf-8', { fatal: true });
log(decoder.fatal);
log(caught(() => decoder.decode(new Uint8Array([0xFF]))), caught(() => decoder.decode(new Uint8Array([0xC3]))));
log(decoder.decode(new Uint8Array([0xC3, 0xA9])));
log(JSON.stringify(decoder.decode(new Uint8Array([0xC3]), { stream: true })), decoder.decode(new Uint8Array([0xA9])));
log(caught(() => new TextDecoder('utf-16le', { fatal: true }).decode(new Uint8Array([0, 0xD8]))));
