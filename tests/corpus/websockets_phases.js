// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

function ask(text) {
  return new Promise((resolve) => {
    const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
    ws.onopen = () => ws.send(text);
    let answer;
    ws.onmessage = (e) => { answer = e.data; ws.close(); };
    ws.onclose = () => { console.log(`closed ${text}`); resolve(answer); };
  });
}

export async function setup() {
  const answer = await ask('setup');
  return { answer };
}

export default async function (data) {
  console.log(`data ${JSON.stringify(data)}`);
  console.log(await ask('default'));
  console.log(await ask('again'));
}

export async function teardown(data) {
  console.log(`teardown ${data.answer} ${await ask('teardown')}`);
}
