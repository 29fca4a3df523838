// args: --iterations 2
import ws from 'k6/ws';

const cookies = (head) => head.split('\n').filter((line) => line.startsWith('Cookie')).join() || 'none';

function visit(path, headers) {
  const res = ws.connect(`${__ENV.WS_URL}/${path}`, { headers }, (socket) => {
    socket.on('message', (head) => { console.log(`${__ITER} ${path}: ${cookies(head)}`); socket.close(); });
  });
  console.log(`${__ITER} ${path}: ${res.status} ${res.headers['Set-Cookie']} ${res.cookies}`);
}

export default function () {
  visit('headers');
  visit('cookie?a=1');
  visit('cookie?b=2;Path=/');
  visit('cookie?c=3;Path=/elsewhere');
  visit('cookie?d=4;Domain=example.com');
  visit('headers');
  visit('cookie?a=;Max-Age=0');
  visit('status/404');
  visit('headers');
  visit('headers', { Cookie: 'own=1' });
}
