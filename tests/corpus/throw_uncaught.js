// args: --iterations 2
import ws from 'k6/ws';
export const options = { throw: true };


export default function () {
  ws.connect('ws://127.0.0.1:1/', null, () => {});
  console.log('never reached');
}
