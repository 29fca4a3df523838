const ws = require('k6/ws');
const { check } = require('k6');

module.exports.default = function () {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, null, (socket) => socket.on('open', () => socket.close()));
  check(res, { ok: (r) => r.status === 101 });
};
