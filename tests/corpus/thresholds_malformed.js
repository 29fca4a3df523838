export const options = { thresholds: { ws_sessions: ['count>>1'] } };

export default function () {}
