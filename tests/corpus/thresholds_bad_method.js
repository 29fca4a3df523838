export const options = { thresholds: { ws_sessions: ['p(95)>1'] } };

export default function () {}
