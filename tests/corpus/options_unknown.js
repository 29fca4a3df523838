export const options = { iterations: 1, bogusTop: true };

export default function () {}
