import ws from 'k6/ws';

export default async function () {
  console.log('starts');
  await null;
  console.log('continues');
  ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', () => socket.close()));
  await Promise.resolve();
  console.log('ends');
}
