// without k6: it ignores compressionOptions
import ws from 'k6/ws';

function visit(compressionOptions, reply) {
  const id = `${__ENV.RUN}-${__VU}-${visit.count = (visit.count || 0) + 1}`;
  const path = reply === undefined ? 'headers' : 'deflate';
  const params = { compression: 'deflate', compressionOptions };
  const res = ws.connect(`${__ENV.WS_URL}/${path}?id=${id}&reply=${reply}`, params, (socket) => {
    let open = 3;
    socket.on('message', (data) => {
      if (data.startsWith('GET')) {
        console.log(data.split('\n').find((line) => line.startsWith('Sec-WebSocket-Ext')));
        return socket.close();
      }
      if (data.startsWith('hello')) for (let n = 0; n < open; n++) socket.send('the same again, the same');
      else if (--open === 0) socket.close();
    });
  });
  if (reply === undefined) return;
  console.log(`${JSON.stringify(compressionOptions)} ${reply}: ${res.status} "${res.error}"`);
  if (res.error) return;
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    const sizes = [];
    socket.on('message', (frame) => {
      if (frame.endsWith('compressed bytes')) sizes.push(parseInt(frame, 10));
      else if (!frame.startsWith('close')) console.log(frame);
    });
    socket.on('close', () => console.log(`repetitions: ${sizes[2] < sizes[0] ? 'shorter' : 'as long'}`));
  });
}

export default function () {
  const takeover = { contextTakeover: true };
  for (const options of [undefined, null, {}, takeover, { windowBits: 10 }, { ...takeover, windowBits: 9 }, { windowBits: 15, level: 9 }]) {
    visit(options);
  }
  visit(takeover, 'permessage-deflate');
  visit(takeover, 'permessage-deflate;client_no_context_takeover');
  visit({ ...takeover, level: 0 }, 'permessage-deflate;client_max_window_bits=9');
  // The answer is judged by RFC 7692 now.
  visit(takeover, 'permessage-deflate;x');
  visit({ windowBits: 10 }, 'permessage-deflate;server_no_context_takeover;server_max_window_bits=11');
  visit({}, 'permessage-deflate');

  for (const params of [
    { compressionOptions: {} },
    { compression: '', compressionOptions: {} },
    { compression: 'deflate', compressionOptions: 5 },
    { compression: 'deflate', compressionOptions: { contextTakeover: 1 } },
    { compression: 'deflate', compressionOptions: { windowBits: 8 } },
    { compression: 'deflate', compressionOptions: { windowBits: 16 } },
    { compression: 'deflate', compressionOptions: { windowBits: 9.5 } },
    { compression: 'deflate', compressionOptions: { windowBits: '10' } },
    { compression: 'deflate', compressionOptions: { level: -1 } },
    { compression: 'deflate', compressionOptions: { level: null } },
    { compression: 'deflate', compressionOptions: { levle: 1 } },
    { compression: 'gzip', compressionOptions: { level: 10 } },
  ]) {
    try {
      ws.connect(`${__ENV.WS_URL}/echo`, params, () => console.log('connected'));
    } catch (e) {
      console.log(String(e));
    }
  }
}
