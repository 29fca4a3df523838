// args: --iterations 3
import ws from 'k6/ws';

export default function () {
  console.log(`iteration ${__ITER}`);
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => {
    socket.on('open', () => {
      if (__ITER === 1) throw new RangeError('in a handler');
      socket.close();
    });
  });
  if (__ITER === 2) {
    throw new Error('in the function\nwith a second line');
  }
}
