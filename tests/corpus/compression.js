import ws from 'k6/ws';

const BOTH = 'permessage-deflate;server_no_context_takeover;client_no_context_takeover';

function visit(path, params) {
  const messages = ['hello', '', 'long '.repeat(500), 'grüße'];
  const res = ws.connect(`${__ENV.WS_URL}/${path}`, params, (socket) => {
    let open = messages.length;
    socket.on('message', (data) => {
      const head = data.startsWith('GET');
      const shown = head ? data.split('\n').find((line) => line.startsWith('Sec-WebSocket-Ext')) : data;
      console.log(`${path}: ${shown.length > 500 ? shown.length : shown}`);
      if (head || data === 'hello hello hello') messages.forEach((message) => socket.send(message));
      else if (--open === 0) socket.sendBinary(new Uint8Array([1, 2, 3]).buffer);
    });
    socket.on('binaryMessage', (data) => { console.log(new Uint8Array(data).join()); socket.ping(); });
    socket.on('pong', () => socket.close());
    socket.on('error', (e) => console.log(`${path}: ${e.error()}`));
  });
  // With an answer there is no error in k6, though no socket opened.
  console.log(`${path}: ${res.status} ${res.headers['Sec-Websocket-Extensions']} "${res.url}"`);
}

function frames(id) {
  ws.connect(`${__ENV.WS_URL}/seen?id=${id}`, null, (socket) => {
    socket.on('message', (frame) => {
      // How small messages get is each tool's own affair, but not whether they do.
      const size = parseInt(frame, 10);
      console.log(`${id}: ${size ? `less than 100 bytes: ${size < 100}` : frame.length > 500 ? frame.length : frame}`);
    });
  });
}

export default function () {
  const compression = 'deflate';
  // The offer, to a server that does not take it.
  visit(`headers?id=${__ENV.RUN}-plain`, { compression });
  frames(`${__ENV.RUN}-plain`);
  // And to one that does; also without an offer.
  visit(`deflate?id=${__ENV.RUN}-deflate`, { compression });
  frames(`${__ENV.RUN}-deflate`);
  visit(`deflate?id=${__ENV.RUN}-spaces`, { compression: ' deflate\n' });
  visit(`deflate?id=${__ENV.RUN}-unasked`);
  frames(`${__ENV.RUN}-unasked`);
  for (const reply of [
    'permessage-deflate',
    'permessage-deflate;server_no_context_takeover',
    'permessage-deflate;client_no_context_takeover',
    `${BOTH};server_max_window_bits=15`,
    `x-other,${BOTH}`,
  ]) {
    visit(`deflate?reply=${reply}`, { compression });
  }
  visit('deflate?reply=permessage-deflate');
}
