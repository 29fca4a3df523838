import { Counter, Rate, Trend } from 'k6/metrics';

const attempt = (what, act) => {
  try { act(); if (__VU === 0) return; } catch (e) { if (__VU === 1) console.log(`${what}: ${e.message}`); }
};
attempt('type', () => { new Counter('twice'); new Trend('twice'); });
attempt('content', () => { new Trend('timed'); new Trend('timed', true); });
attempt('built-in', () => new Rate('ws_sessions'));
attempt('name', () => new Counter('bad name'));
attempt('short', () => new Counter('x'));
attempt('empty', () => new Counter(''));
attempt('add', () => new Counter('ok_name').add(1));

export default function () {}
