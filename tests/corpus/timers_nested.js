export const options = { iterations: 2 };

export default function () {
  const say = (text) => console.log(`${__ITER}: ${text}`);
  const ids = [];
  const later = (text, delay, f) => ids.push(setTimeout(() => { say(text); if (f) f(); }, delay));
  later('a', 0, () => {
    later('a, nested', 0, () => later('a, nested twice', 0));
    Promise.resolve().then(() => say('reaction of a')).then(() => later('from a reaction', 0));
  });
  later('b', 0);
  later('c', 400, () => {
    // Of numbers that are never used again in this virtual user.
    say(`ids ${ids}`);
    later('no number is no time', NaN);
    later('nor is a word', 'soon');
    later('null', null);
    later('true', true);
  });
  say('default');
}
