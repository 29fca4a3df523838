// What https://jslib.k6.io/k6-utils offers, in all its versions. Random numbers are those of Math.random, so that
// randomSeed() of k6 decides them.
import { check as recordCheck } from 'k6';

function hex(digits) {
  return Math.floor(Math.random() * 16 ** digits).toString(16).padStart(digits, '0');
}

export function uuidv4(secure = false) {
  if (secure) return globalThis.crypto.randomUUID();
  const variant = '89ab'[Math.floor(Math.random() * 4)];
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(12)}`;
}

export function randomIntBetween(min, max) {
  return Math.floor(Math.random() * (max - min + 1) + min);
}

export function randomItem(array) {
  return array[Math.floor(Math.random() * array.length)];
}

export function randomString(length, charset = 'abcdefghijklmnopqrstuvwxyz') {
  let text = '';
  for (let left = length; left > 0; left--) text += charset[Math.floor(Math.random() * charset.length)];
  return text;
}

// What stands between two texts: the first, or with `repeat` a list of all. Null if there is none.
export function findBetween(content, left, right, repeat = false) {
  const found = [];
  let from = 0;
  for (;;) {
    const start = content.indexOf(left, from);
    if (start === -1) break;
    const end = content.indexOf(right, start + left.length);
    if (end === -1) break;
    found.push(content.substring(start + left.length, end));
    if (!repeat) return found[0];
    from = end + right.length;
    // Two empty texts are found everywhere.
    if (from === start) break;
  }
  return found.length > 0 ? found : null;
}

// The stages of a bell curve from two standard deviations before its peak to two after it.
export function normalDistributionStages(maxVUs, durationSeconds, numberOfStages = 10) {
  const heights = [];
  for (let stage = 0; stage <= numberOfStages; stage++) {
    const x = -2 + (4 * stage) / numberOfStages;
    heights.push(Math.exp(-(x * x) / 2));
  }
  const peak = Math.max(...heights);
  const edge = `${Math.ceil(durationSeconds / 6)}s`;
  const inner = `${Math.ceil((4 * durationSeconds) / (6 * numberOfStages))}s`;
  const stages = heights.map((height, index) => ({
    duration: index === 0 ? edge : inner,
    target: Math.round((height * maxVUs) / peak),
  }));
  stages.push({ duration: edge, target: 0 });
  return stages;
}

const UNITS = { __proto__: null, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

// A duration such as 1m30.5s in milliseconds.
export function parseDuration(text) {
  if (text === undefined || text === null || text.length < 1) throw new Error('str is empty');
  const parts = /([\d.]*)([^\d.]*)/gy;
  const seen = new Set();
  let sum = 0;
  for (const [part, number, name] of `${text}`.matchAll(parts)) {
    if (part === '') continue;
    const unit = name === '' ? 'ms' : name;
    if (!(unit in UNITS)) throw new Error(`${unit} is an unsupported time unit`);
    if (seen.has(unit)) throw new Error(`${unit} time unit is provided multiple times`);
    seen.add(unit);
    sum += parseFloat(number) * UNITS[unit];
  }
  return sum;
}

function isThenable(value) {
  return value !== null && typeof value === 'object' && typeof value.then === 'function';
}

// Like the check of k6, but what is checked, and what a check gives, may be a promise; then it gives one, too.
export function check(value, sets, tags) {
  if (isThenable(value)) return value.then((settled) => check(settled, sets, tags));
  if (arguments.length < 2) return recordCheck(value);
  if (sets === undefined || sets === null) return recordCheck(value, sets, tags);
  const record = (name, outcome) => recordCheck(null, { [name]: !!outcome }, tags);
  const pending = [];
  let passed = true;
  for (const name of Object.keys(sets)) {
    let outcome = sets[name];
    if (typeof outcome === 'function') {
      try {
        outcome = outcome(value);
      } catch (error) {
        record(name, false);
        throw error;
      }
    }
    if (isThenable(outcome)) {
      pending.push(outcome.then(
        (settled) => record(name, settled),
        (error) => {
          record(name, false);
          throw error;
        },
      ));
    } else {
      passed = record(name, outcome) && passed;
    }
  }
  if (pending.length === 0) return passed;
  return Promise.all(pending).then((outcomes) => passed && outcomes.every((outcome) => outcome));
}

function needsStages(name) {
  throw new Error(`${name} is not supported yet: it needs the module k6/execution`);
}

export function getCurrentStageIndex() {
  needsStages('getCurrentStageIndex');
}

export function tagWithCurrentStageIndex() {
  needsStages('tagWithCurrentStageIndex');
}

export function tagWithCurrentStageProfile() {
  needsStages('tagWithCurrentStageProfile');
}
