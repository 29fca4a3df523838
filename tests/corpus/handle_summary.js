// args: --vus 2 --iterations 4
// since: 2.2.0
// What handleSummary() is given, and where what it returns goes. (Older versions take 0 for the maximum of a gauge.)
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const counter = new Counter('my_counter');
const gauge = new Gauge('my_gauge');
const rate = new Rate('my_rate');
const trend = new Trend('my_trend', true);
new Counter('never');
new Rate('never_either');

export const options = {
  summaryTrendStats: ['avg', 'p(99.9)', 'count'],
  summaryTimeUnit: 'ms',
  thresholds: {
    my_counter: ['count>3', 'count>100'],
    'my_counter{kind:a}': ['count==4'],
    'my_rate{kind:none}': [],
    my_trend: [{ threshold: 'p(95)<10', abortOnFail: false }],
    never: ['count<1'],
  },
};

export function setup() {
  return { text: 'ä', list: [1, null], number: 0.1 };
}

export default function () {
  counter.add(1, { kind: 'a' });
  counter.add(2);
  gauge.add(-3.5);
  rate.add(1);
  trend.add(2.5);
  check(null, { 'at the top': () => true, flaky: () => false });
  group('outer', () => {
    check(null, { one: () => true, 'at the top': () => false });
    group('inner', () => check(null, { two: () => true }));
  });
  group('empty', () => {});
}

// Objects have no order that could be compared.
function sorted(key, value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function handleSummary(data) {
  console.log(__VU, typeof __ITER, arguments.length, String(this), Object.keys(data).sort().join());
  console.log(JSON.stringify(data.options, sorted));
  console.log(JSON.stringify(data.setup_data, sorted));
  const { testRunDurationMs, ...state } = data.state;
  console.log(JSON.stringify(state, sorted), testRunDurationMs > 0);
  for (const name of Object.keys(data.metrics).sort()) {
    if (name === 'vus' || name === 'vus_max') continue;
    const { values, ...metric } = data.metrics[name];
    const measured = metric.contains === 'data' || /_duration$/.test(name);
    const shown = Object.keys(values).sort().map((key) => {
      return measured || (metric.type === 'counter' && key === 'rate') ? key : `${key}=${values[key]}`;
    });
    console.log(name, shown.join(' '), JSON.stringify(metric, sorted));
  }
  console.log(JSON.stringify(data.root_group, sorted));
  // Too late to count.
  counter.add(1000);
  check(null, { late: () => true });
  return { stdout: 'to standard output\n', stderr: 'to standard error\n', '/dev/null': new Uint8Array([1]) };
}
