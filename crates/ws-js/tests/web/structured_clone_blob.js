const copy = structuredClone({ blob: new Blob(['abc'], { type: 'text/x' }) }).blob;
log(copy instanceof Blob, copy.size, copy.type, await copy.text());
