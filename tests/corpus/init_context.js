import ws from 'k6/ws';

try {
  ws.connect(`${__ENV.WS_URL}/echo`, null, () => {});
} catch (e) {
  if (__VU === 1) console.log(`init: ${e}`);
}

export default function () {
  console.log('default runs');
}
