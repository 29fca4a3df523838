// What is thrown comes out as it is, be it an error or not.
import ws from 'k6/ws';
import { fail } from 'k6';

const thing = { my: 'object' };

export default function () {
  for (const act of [() => { throw 'text'; }, () => { throw 42; }, () => { throw thing; }, () => { throw null; },
    () => { throw undefined; }, () => fail('failed'), () => undefinedName, () => null.x]) {
    try {
      ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', act));
    } catch (e) {
      console.log(`${typeof e} ${e === thing} ${e && e.name}`);
    }
  }
}
