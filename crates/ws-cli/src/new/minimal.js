// Connects, sends a message and waits for the answer.
//
//     ws run --echo SCRIPT                              against an echo server of its own
//     ws run -e WS_URL=wss://example.org/socket SCRIPT  against yours
import { WebSocket } from 'k6/websockets';
import { check } from 'k6';

export const options = {
  vus: 10,
  duration: '10s',
};

export default function () {
  const socket = new WebSocket(__ENV.WS_URL);
  socket.onopen = () => socket.send(`hello from VU ${__VU}`);
  socket.onmessage = (event) => {
    check(event.data, { 'an answer to us': (text) => text.includes(`VU ${__VU}`) });
    socket.close();
  };
  socket.onerror = (event) => console.error(event.error);
  // The iteration ends when the socket is closed and no timer is left.
}
