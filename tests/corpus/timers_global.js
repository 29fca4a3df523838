export default function () {
  const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'];
  console.log(names.map((name) => typeof globalThis[name]).join());
  const attempt = (name, f) => {
    try {
      console.log(`${name}: ${f()}`);
    } catch (e) {
      console.log(`${name}: ${e.name} ${e.message}`);
    }
  };
  attempt('no function', () => setTimeout());
  attempt('null', () => setTimeout(null, 10));
  attempt('interval undefined', () => setInterval(undefined, 10));
  attempt('text', () => setTimeout('1 + 1', 10));
  attempt('object', () => setInterval({}, 10));
  attempt('id', () => setTimeout(() => {}, 1));
  attempt('clear nothing', () => clearTimeout());
  attempt('clear unknown', () => clearInterval(99));
  attempt('clear text', () => clearTimeout('no'));
  attempt('clear object', () => clearTimeout({}));
  setTimeout((...args) => console.log(`arguments ${args}`), 150, 'a', 2, null);
  setTimeout(function () { console.log(`this is global ${this === globalThis}`); }, 160);
  setTimeout(() => console.log('text delay'), '170');
  setTimeout(() => console.log('later'), 400);
  setTimeout(() => console.log('same time, first'), 200);
  setTimeout(() => console.log('same time, second'), 200);
  setTimeout(() => { console.log('one'); Promise.resolve().then(() => console.log('microtask')); }, 100);
  setTimeout(() => console.log('two'), 100);
  setTimeout(() => console.log('none'), 10);
  setTimeout(() => console.log('negative'), -5);
  setTimeout(() => console.log('zero'), 0);
  setTimeout(() => console.log('missing'));
  const id = setTimeout(() => console.log('never'), 120);
  clearInterval(`${id}`);
  let ticks = 0;
  const interval = setInterval((word) => {
    ticks += 1;
    console.log(`tick ${ticks} ${word}`);
    if (ticks === 3) clearTimeout(interval);
  }, 500, 'w');
  console.log('default returns');
}
