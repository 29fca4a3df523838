for (const text of ['z=b&a=b&z=a&a=a', '\ufffd=x&\ud83d\ude00=y&a=z', 'z=z&a=a&b=b', 'bbb&bb&aaa&aa=x&aa=y']) {
  const p = new URLSearchParams(text);
  p.sort();
  log(decodeURIComponent(p.toString()));
}
