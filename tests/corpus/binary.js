import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/binary?n=5`, null, (socket) => {
    let n = 0;
    socket.on('message', () => console.log('text'));
    socket.on('binaryMessage', (data) => {
      console.log(`${data instanceof ArrayBuffer} ${data.byteLength} ${new Uint8Array(data).slice(0, 5).join()}`);
      n += 1;
      if (n === 1) socket.sendBinary(new Uint8Array([255, 0, 128]).buffer);
      if (n === 2) socket.sendBinary(new ArrayBuffer(0));
      if (n === 3) socket.sendBinary(new Uint8Array(70000).fill(7).buffer.slice(0, 300));
      if (n === 4) socket.close();
    });
  });
}
