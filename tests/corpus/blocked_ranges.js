import ws from 'k6/ws';

export const options = {
  blockHostnames: ['*'],
  blacklistIPs: ['127.0.0.3/24', '::1/128', '::ffff:127.1.0.0/112'],
  throw: true,
};

export default function () {
  for (const host of ['127.0.0.1', '127.1.2.3', '127.1.0.3', '[::1]', 'localhost', '127.2.0.1:1']) {
    try {
      ws.connect(`ws://${host}/`, null, () => {});
    } catch (error) {
      console.log(`${host}: ${error.name} ${error.message}`);
    }
  }
}
