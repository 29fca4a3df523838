import ws from 'k6/ws';

export default function () {
  const res = ws.connect(`${__ENV.WS_URL}/badext`, null, () => console.log('callback must not run'));
  console.log(`${JSON.stringify([res.url, res.status, res.body])} ${res.headers['Sec-Websocket-Extensions']}`);
  console.log(`${Object.keys(res)}`);
}
