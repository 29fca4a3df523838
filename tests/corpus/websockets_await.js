// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

const next = (ws, type) => new Promise((resolve) => { ws[`on${type}`] = resolve; });

export default async function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  const closed = next(ws, 'close');
  await next(ws, 'open');
  console.log(`open ${ws.readyState}`);
  const answers = [];
  for (const word of ['one', 'two', 'three']) {
    const answer = next(ws, 'message');
    ws.send(word);
    answers.push((await answer).data);
  }
  console.log(answers.join());
  const race = await Promise.race([next(ws, 'message'), new Promise((resolve) => setTimeout(resolve, 30, 'late'))]);
  console.log(`race ${race}`);
  const all = await Promise.all(['a', 'b'].map(async (text) => {
    const other = new WebSocket(`${__ENV.WS_URL}/echo`);
    await next(other, 'open');
    other.send(text);
    const { data } = await next(other, 'message');
    other.close();
    await next(other, 'close');
    return data;
  }));
  console.log(`all ${all}`);
  ws.close();
  console.log(`closed ${(await closed).type} ${ws.readyState}`);
  try {
    const failed = new WebSocket(`${__ENV.WS_URL}/status/503`);
    await new Promise((resolve, reject) => { failed.onopen = resolve; failed.onerror = (e) => reject(new Error(e.error)); });
  } catch (e) {
    console.log(`caught ${e.message.replace(': status 503', '')}`);
  }
}
