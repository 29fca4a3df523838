import ws from 'k6/ws';

export default function () {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    console.log('callback');
    socket.on('open', () => { console.log('open 1'); socket.send('a'); socket.send('b'); });
    socket.on('open', () => console.log('open 2'));
    socket.on('message', (data) => {
      console.log(`message 1 ${typeof data} ${data}`);
      if (data === 'b') socket.close();
    });
    socket.on('message', (data) => console.log(`message 2 ${data}`));
    socket.on('close', (code) => console.log(`close ${typeof code} ${code}`));
    socket.on('error', (e) => console.log(`error ${e.error()}`));
    console.log('callback ends');
    return 'ignored';
  });
  console.log(Object.keys(res).join());
  console.log(`${res.url} ${res.status} ${JSON.stringify(res.body)} ${JSON.stringify(res.error)}`);
  console.log(`${res.headers['Upgrade']} ${res.headers['Connection']} ${res.headers['Sec-Websocket-Accept'].length}`);
}
