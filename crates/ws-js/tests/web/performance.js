const a = performance.now();
const b = performance.now();
log(typeof a, b >= a, a >= 0);
log(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000);
log(typeof performance.toJSON().timeOrigin, Object.prototype.toString.call(performance));
const e = new Event('x');
log(e.timeStamp >= b, e.timeStamp <= performance.now());
