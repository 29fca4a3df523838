// since: 2.2.0
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

function attempt(name, f) {
  try {
    const ws = f();
    console.log(`${name}: ${ws.url}`);
    ws.onerror = (e) => console.log(`${name}: error ${e.error}`);
    ws.onclose = () => {};
    ws.close();
  } catch (e) {
    console.log(`${name}: ${e.name} ${e.message}`);
  }
}

export default function () {
  const url = `${__ENV.WS_URL}/echo`;
  attempt('null', () => new WebSocket(null));
  attempt('undefined', () => new WebSocket(undefined));
  attempt('missing', () => new WebSocket());
  attempt('empty', () => new WebSocket(''));
  attempt('number', () => new WebSocket(5));
  attempt('relative', () => new WebSocket('/path'));
  attempt('http', () => new WebSocket('http://127.0.0.1/'));
  attempt('HTTP', () => new WebSocket('HTTPS://127.0.0.1/'));
  attempt('unparsable', () => new WebSocket('ws://127.0.0.1:99x11/'));
  attempt('escape', () => new WebSocket('ws://127.0.0.1/%zz'));
  attempt('fragment', () => new WebSocket(`${url}#part`));
  attempt('tags', () => new WebSocket(url, null, { tags: { a: null } }));
  attempt('tags object', () => new WebSocket(url, null, { tags: { a: {} } }));
  attempt('compression', () => new WebSocket(url, null, { compression: 'gzip' }));
  attempt('compression empty', () => new WebSocket(url, null, { compression: '' }));
  attempt('compression null', () => new WebSocket(url, null, { compression: null }));
  attempt('option', () => new WebSocket(url, null, { timeout: 5 }));
  attempt('string params', () => new WebSocket(url, null, 'ab'));
}
