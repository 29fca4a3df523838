// Garbage collection: many VUs parked in connect, some of which (ACTIVE) parse and rebuild JSON all the time.
import ws from 'k6/ws';
const url = __ENV.URL || 'ws://127.0.0.1:9001';
const dur = parseInt(__ENV.MS || '20000');
const active = parseInt(__ENV.ACTIVE || '200');
const items = [];
for (let i = 0; i < 20; i++) items.push({ id: i, name: `item-${i}`, price: i * 1.25, tags: ['a', 'b', 'c'], ok: i % 2 === 0 });
export default function () {
  ws.connect(url, null, function (socket) {
    socket.setTimeout(() => socket.close(), dur);
    if (__VU > active) return;
    let n = 0;
    const next = () => socket.send(JSON.stringify({ seq: n++, type: 'order', user: { id: 42, name: 'croc' }, items }));
    socket.on('open', next);
    socket.on('message', (m) => {
      const o = JSON.parse(m);
      let total = 0;
      for (const it of o.items) if (it.ok) total += it.price * it.tags.length;
      if (Math.abs(total - 337.5) > 1e-9) throw new Error(`wrong total ${total}`);
      next();
    });
  });
}
