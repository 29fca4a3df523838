// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

function attempt(name, f) {
  try {
    console.log(`${name}: ${f()}`);
  } catch (e) {
    console.log(`${name}: ${e.name} ${e.message.split(' of object')[0]}`);
  }
}

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  console.log(Object.keys(ws).join());
  console.log(JSON.stringify(ws));
  for (const name of ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol', 'send', 'close']) {
    attempt(`set ${name}`, () => { ws[name] = 1; });
  }
  attempt('own property', () => { ws.mine = 7; return ws.mine; });
  for (const type of ['', 'buffer', null, 1, 'Blob', 'blob', 'arraybuffer']) {
    attempt(`binaryType ${type}`, () => { ws.binaryType = type; return ws.binaryType; });
  }
  attempt('unknown event', () => ws.addEventListener('opened', () => {}));
  attempt('no handler', () => ws.addEventListener('open'));
  attempt('null handler', () => ws.addEventListener('open', null));
  attempt('no handler, unknown', () => ws.addEventListener('opened', undefined));
  attempt('string handler', () => ws.addEventListener('open', 'text'));
  attempt('object handler', () => ws.addEventListener('open', { handleEvent() {} }));
  attempt('on null', () => { ws.onopen = null; return 'ok'; });
  attempt('on undefined', () => { ws.onopen = undefined; return 'ok'; });
  attempt('on number', () => { ws.onopen = 5; });
  attempt('on object', () => { ws.onclose = {}; });
  attempt('on text', () => { ws.onmessage = 'x'; });
  attempt('early send', () => ws.send('x'));
  attempt('early ping', () => ws.ping());
  ws.onopen = () => {
    console.log(typeof ws.onopen);
    ws.close();
    attempt('send after close', () => ws.send('x'));
    attempt('ping after close', () => ws.ping());
    attempt('close again', () => ws.close(5));
  };
}
