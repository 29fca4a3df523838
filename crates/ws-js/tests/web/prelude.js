const log = (...parts) => console.log(parts.map(String).join(' '));
const caught = (f) => {
  try {
    return f();
  } catch (e) {
    return e.name + (e instanceof DOMException ? ' (DOMException)' : '');
  }
};
