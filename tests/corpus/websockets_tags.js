// args: --tag run=r
// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';
import { group } from 'k6';

export default function () {
  const open = (params) => {
    const ws = new WebSocket(`${__ENV.WS_URL}/subproto?choose=two`, ['one', 'two'], params);
    ws.onopen = () => { console.log(ws.protocol); ws.send('x'); };
    ws.onmessage = () => ws.close();
  };
  open({ tags: { name: 'named', mine: 1.50 } });
  open({ tags: { url: 'mine', flag: true, scenario: 'other' } });
  group('outer', () => open());
}
