// Users who stay connected, say something every second, and are answered in time.
//
//     ws run --echo SCRIPT                              against an echo server of its own
//     ws run -e WS_URL=wss://example.org/socket SCRIPT  against yours
import { WebSocket } from 'k6/websockets';
import { check } from 'k6';
import { Rate, Trend } from 'k6/metrics';

const latency = new Trend('message_latency', true);
const opened = new Rate('opened');

export const options = {
  scenarios: {
    users: { executor: 'constant-vus', vus: 10, duration: '30s', gracefulStop: '5s' },
  },
  thresholds: {
    opened: ['rate>0.99'],
    message_latency: ['p(95)<200'],
    checks: ['rate>0.99'],
  },
};

// Runs once, before the users start; what it returns is given to each of them.
export function setup() {
  return { room: 'lobby' };
}

export default function (data) {
  const socket = new WebSocket(__ENV.WS_URL, null, { tags: { room: data.room } });
  let isOpen = false;

  socket.onopen = () => {
    isOpen = true;
    opened.add(true);
    const talking = setInterval(() => {
      socket.send(JSON.stringify({ room: data.room, user: __VU, at: Date.now() }));
    }, 1000);
    setTimeout(() => {
      clearInterval(talking);
      socket.close();
    }, 5000);
  };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    check(message, { 'is from our room': (m) => m.room === data.room });
    latency.add(Date.now() - message.at);
  };
  socket.onerror = (event) => {
    if (!isOpen) opened.add(false);
    console.error(`VU ${__VU}: ${event.error}`);
  };
}
