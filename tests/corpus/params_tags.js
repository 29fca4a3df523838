import ws from 'k6/ws';

export default function () {
  const url = `${__ENV.WS_URL}/echo`;
  const attempt = (tags) => {
    try {
      ws.connect(url, { tags }, (socket) => {
        socket.on('open', () => socket.send('x'));
        socket.on('message', () => socket.close());
      });
      console.log('connected');
    } catch (e) {
      console.log(e.message);
    }
  };
  attempt({ text: 'hello', number: 1.5, yes: true });
  attempt({ name: 'a name', url: 'not this', status: 'nor this', group: 'mine', scenario: 'other' });
  attempt('ab');
  attempt(null);
  attempt({ empty: '' });
  attempt({ bad: {} });
  attempt({ bad: null });
  attempt({ bad: undefined });
  attempt({ bad: 1n });
  attempt({ bad: [1] });
}
