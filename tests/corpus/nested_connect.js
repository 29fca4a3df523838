import ws from 'k6/ws';

export default function () {
  const url = `${__ENV.WS_URL}/echo`;
  ws.connect(url, { tags: { depth: 'outer' } }, (outer) => {
    outer.on('open', () => {
      outer.send('outer');
      const res = ws.connect(url, { tags: { depth: 'inner' } }, (inner) => {
        inner.on('open', () => inner.send('inner'));
        inner.on('message', (data) => { console.log(data); inner.close(); });
        inner.on('close', () => console.log('inner closed'));
      });
      console.log(`inner returned ${res.status}`);
    });
    outer.on('message', (data) => { console.log(data); outer.close(); });
    outer.on('close', () => console.log('outer closed'));
  });
  console.log('outer returned');
}
