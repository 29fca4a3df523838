// since: 2.2.0
import http, { CookieJar, cookieJar } from 'k6/http';

const entries = (object) => JSON.stringify(Object.entries(object).sort());
const attempt = (label, f) => {
  let said;
  try {
    const value = f();
    said = value === undefined ? 'undefined' : JSON.stringify(value);
  } catch (e) {
    said = String(e);
  }
  console.log(`${label}: ${said}`);
};
const made = new http.CookieJar();
if (__VU === 1) attempt('init', () => http.cookieJar());

function objects() {
  const jar = new http.CookieJar();
  attempt('keys', () => [Object.keys(jar), Object.keys(http.cookieJar()), Object.keys(http.CookieJar())]);
  attempt('kinds', () => [typeof jar, String(jar), typeof http.CookieJar, typeof cookieJar, CookieJar === http.CookieJar]);
  attempt('json', () => [jar]);
  console.log(jar);
  const { set, cookiesForURL } = jar;
  attempt('detached', () => [set('http://a.test/', 'a', 'b'), cookiesForURL('http://a.test/')]);
  attempt('assign new', () => { jar.other = 1; });
  attempt('made in init code', () => [made.set('http://a.test/', 'a', 'b'), made.cookiesForURL('http://a.test/')]);
  attempt('the VU has one', () => [cookieJar().set('http://a.test/', 'v', '1'), cookieJar().cookiesForURL('http://a.test/')]);
}

function arguments_() {
  const url = 'http://a.test/';
  for (const args of [
    [], [null], [undefined], [url], [url, 'a'], [url, 'a', null], [url, null, 'v'], [url, 'n', 5], [url, 'n', true],
    [url, 'n', { a: 1 }], [url, 'n', [1, 2]], [url, Symbol('s'), 'x'], [url, 'a b', 'v'], [url, 'a', 'v;w, "x"'], [url, 'ü', 'ä'],
    ['', 'a', 'v'], ['nope', 'a', 'v'], [5, 'a', 'v'], ['ftp://a.test/', 'a', 'v'], ['ws://a.test/', 'a', 'v'],
    ['http://a b/', 'a', 'v'], ['http://h:99x/', 'a', 'v'], ['%zz', 'a', 'v'], ['http://a.test/#%zz', 'a', 'v'],
  ]) {
    const jar = new CookieJar();
    attempt(`set(${args.map(String).join(', ')})`, () => [jar.set(...args), jar.cookiesForURL(url)]);
  }
  const jar = new CookieJar(1, 2);
  attempt('clear()', () => jar.clear());
  attempt('clear(bad)', () => jar.clear('%zz'));
  attempt('delete()', () => jar.delete());
  attempt('delete(bad)', () => jar.delete('%zz', 'a'));
  attempt('delete(bad, nothing)', () => jar.delete('%zz', ''));
  attempt('delete(null)', () => jar.delete(url, null));
  attempt('delete(unknown)', () => jar.delete(url, 'unknown'));
  attempt('cookiesForURL()', () => jar.cookiesForURL());
}

function options() {
  const set = 'http://a.test/x/y';
  for (const [option, url] of [
    [undefined], [null], [5], ['path'], [[]], [{ unknown: 1 }],
    [{ path: '/z' }], [{ path: '/' }, 'http://a.test/'], [{ path: '' }], [{ path: 'x' }], [{ path: null }], [{ PATH: '/z' }],
    [{ domain: 'a.test' }, 'http://sub.a.test/x/y'], [{ domain: '.a.test' }], [{ domain: 'b.test' }], [{ domain: '' }], [{ domain: null }],
    [{ domain: 'A.TEST' }], [{ domain: 'test' }, 'http://b.test/x/y'], [{}, 'http://sub.a.test/x/y'],
    [{ secure: true }], [{ secure: true }, 'https://a.test/x/y'], [{ secure: 0 }], [{ secure: 'false' }], [{ http_only: true }],
    [{ max_age: 0 }], [{ max_age: -1 }], [{ max_age: 9 }], [{ max_age: '9' }], [{ max_age: 'x' }], [{ max_age: -0.5 }], [{ max_age: NaN }],
    [{ expires: '' }], [{ expires: 'Thu, 01 Jan 1970 00:00:00 GMT' }], [{ expires: new Date(Date.UTC(2040, 0, 2)).toUTCString() }],
    [{ expires: 'Mon, 2 Jan 2040 15:04:05 GMT' }], [{ expires: 'x' }], [{ expires: null }], [{ expires: 5 }],
    [{ expires: 'Mon, 02-Jan-2040 15:04:05 GMT' }], [{ expires: 'Mon, 32 Jan 2040 15:04:05 GMT' }], [{ expires: 'Mon, 02 Jan 2040 25:04:05 GMT' }],
    [{ expires: 'Mon, 02 Jan 2040 15:04:05 +0100' }], [{ expires: 'Mon, 02 Jan 2040 15:04:05 GMT (x)' }], [{ expires: 'Mon, é2 "Jan" 2040' }],
    [{ expires: 'Thu, 01 Jan 1970 00:00:00 GMT', max_age: 9 }],
  ]) {
    const jar = new CookieJar();
    attempt(JSON.stringify(option) || 'none', () => [jar.set(set, 'n', 'v', option), jar.cookiesForURL(url || set)]);
  }
  attempt('getter', () => new CookieJar().set(set, 'n', 'v', { get path() { throw new RangeError('r'); } }));
}

function matching() {
  const jar = new CookieJar();
  jar.set('http://a.test/', 'n', '1', { path: '/' });
  jar.set('http://a.test/', 'n', '2', { path: '/x' });
  jar.set('http://a.test/', 'm', '3', { path: '/' });
  jar.set('http://a.test/', 'm', '4', { path: '/' });
  for (const url of ['http://a.test/x/y', 'http://a.test', 'https://a.test/x', 'http://A.TEST:99/', 'http://a.test./', 'http://sub.a.test/', 'ws://a.test/', 'HTTP://a.test/']) {
    console.log(`${url}: ${entries(jar.cookiesForURL(url))}`);
  }
  const loopback = new CookieJar();
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', 'x.localhost', 'a.test', '10.0.0.1']) {
    loopback.set(`http://${host}/`, 's', '1', { secure: true });
    console.log(`${host}: ${entries(loopback.cookiesForURL(`http://${host}/`))}`);
  }
}

function removal() {
  const jar = new CookieJar();
  const fill = () => {
    jar.set('http://a.test/', 'r', '1', { path: '/' });
    jar.set('http://a.test/', 'p', '1', { path: '/x' });
    jar.set('http://a.test/', 'p', '2', { path: '/' });
    jar.set('http://a.test/', 'd', '1', { path: '/', domain: 'a.test' });
  };
  const all = () => ['http://a.test/x', 'http://a.test/', 'http://sub.a.test/'].map((url) => entries(jar.cookiesForURL(url))).join(' ');
  for (const [f, ...args] of [
    ['delete', 'http://a.test/', 'p'], ['delete', 'http://a.test/x', 'p'], ['delete', 'http://a.test/x/y', 'p'],
    ['delete', 'http://a.test/', 'd'], ['delete', 'http://sub.a.test/', 'd'],
    ['clear', 'http://a.test/'], ['clear', 'http://a.test/x'], ['clear', 'http://a.test/x/'], ['clear', 'http://a.test/x/y/z'], ['clear', 'http://sub.a.test/'],
  ]) {
    fill();
    attempt(`${f} ${args.join(' ')}`, () => jar[f](...args));
    console.log(all());
  }
}

export default function () {
  objects();
  arguments_();
  options();
  matching();
  removal();
}
