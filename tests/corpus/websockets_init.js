// without k6: it crashes
import { WebSocket } from 'k6/experimental/websockets';

try {
  new WebSocket(__ENV.WS_URL);
} catch (e) {
  console.log(`${e.name}: ${e.message}`);
}

export default function () {}
