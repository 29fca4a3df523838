const p = new URLSearchParams('a=1&b=2');
log([...p].join(';'), [...p.keys()].join(), [...p.values()].join(), p[Symbol.iterator] === p.entries);
p.forEach(function (value, name, all) { log(value, name, all === p, this.x); }, { x: 5 });
const iterator = p.entries();
log(Object.prototype.toString.call(iterator), iterator[Symbol.iterator]() === iterator);
const seen = [];
for (const [name] of p) { seen.push(name); if (name === 'a') p.append('c', '3'); }
log(seen.join());
log(Object.fromEntries(p).c, new Map(p).size);
