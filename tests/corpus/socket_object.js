import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    console.log(Object.keys(socket).sort().join());
    console.log(Object.keys(socket).map((key) => typeof socket[key]).join());
    try { socket.mine = 1; console.log('assigned'); } catch (e) { console.log(e.name); }
    const { on, send, close } = socket;
    on('open', () => console.log(`send gives ${send('x')}`));
    on('message', () => console.log(`close gives ${close()}`));
  });
}
