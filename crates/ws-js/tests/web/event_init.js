const e = new Event('a');
e.initEvent('b', true, true);
log(e.type, e.bubbles, e.cancelable);
log(caught(() => e.initEvent()));
