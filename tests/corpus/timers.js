import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    let ticks = 0;
    console.log(`setTimeout gives ${socket.setTimeout((...args) => console.log(`early, ${args.length} arguments`), 0.3, 'x')}`);
    socket.on('open', () => {
      socket.setTimeout(() => console.log('third'), 450);
      socket.setTimeout(() => console.log('first'), 150);
      socket.setTimeout(() => console.log('second'), 300);
      console.log(`setInterval gives ${socket.setInterval(() => {
        ticks += 1;
        console.log(`tick ${ticks}`);
        if (ticks === 3) socket.close();
      }, 600)}`);
      socket.setTimeout(() => console.log('never'), 5000);
    });
  });
}
