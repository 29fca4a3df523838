export const options = { thresholds: { nonexistent: ['count>1'] } };

export default function () {}
