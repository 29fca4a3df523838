import { uuidv4, randomIntBetween, randomItem, randomString } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
const all = (count, make) => Array.from({ length: count }, make);
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
log(all(200, () => uuidv4()).every((id) => uuid.test(id)), all(200, () => uuidv4(true)).every((id) => uuid.test(id)));
log(new Set(all(200, () => uuidv4())).size);
log([...new Set(all(500, () => randomIntBetween(-1, 2)))].sort().join());
log(randomIntBetween(5, 5));
log([...new Set(all(200, () => randomItem(['a', 'b', 'c'])))].sort().join());
log(/^[a-z]{12}$/.test(randomString(12)), /^[xy]{40}$/.test(randomString(40, 'xy')), randomString(0) === '');
