// drop: k6/experimental/websockets is deprecated
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const fragments = new WebSocket(`${__ENV.WS_URL}/fragments`);
  fragments.onmessage = (e) => { console.log(e.data); fragments.close(); };
  fragments.onclose = () => {
    const bytes = new WebSocket(`${__ENV.WS_URL}/utf8`);
    bytes.onmessage = (e) => {
      console.log([...e.data].map((c) => c.codePointAt(0).toString(16)).join(' '));
      bytes.close();
    };
    bytes.onclose = () => {
      const echo = new WebSocket(`${__ENV.WS_URL}/echo`);
      const texts = ['\u0000', 'a\ud800b', '𝄞漢字', '\r\n\t"', '\ufeff'];
      echo.onopen = () => texts.forEach((text) => echo.send(text));
      let left = texts.length;
      echo.onmessage = (e) => {
        console.log([...e.data].map((c) => c.codePointAt(0).toString(16)).join(' '));
        left -= 1;
        if (left === 0) echo.close();
      };
    };
  };
}
