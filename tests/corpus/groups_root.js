import { group, check } from 'k6';

export default function () {
  group('', () => {
    check(1, { first: () => true });
    group('', () => check(1, { second: () => true }));
    group('x', () => {
      check(1, { third: () => true });
      group('', () => check(1, { fourth: () => true }));
    });
  });
}
