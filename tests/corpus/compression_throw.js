import ws from 'k6/ws';

export const options = { throw: true };

export default function () {
  for (const path of ['badext', 'deflate?reply=permessage-deflate']) {
    try {
      ws.connect(`${__ENV.WS_URL}/${path}`, { compression: 'deflate' }, () => console.log('connected'));
    } catch (e) {
      console.log(`${path}: ${e}`);
    }
  }
}
