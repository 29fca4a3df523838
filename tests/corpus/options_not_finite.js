export const options = { vus: parseInt(__ENV.NOT_SET) };

export default function () {}
