for (const label of ['UTF-8', ' utf8\n', 'latin1', 'ascii', 'ISO-8859-1', 'windows-1252', 'ucs-2', 'unicode11utf8']) log(new TextDecoder(label).encoding);
for (const label of ['', 'utf-7', 'utf 8', 'nope', '\u00a0utf-8']) log(caught(() => new TextDecoder(label)));
log(JSON.stringify(new TextDecoder('latin1').decode(new Uint8Array([0x41, 0xE9, 0xFF]))), JSON.stringify(new TextDecoder('latin1').decode(new Uint8Array(0))));
