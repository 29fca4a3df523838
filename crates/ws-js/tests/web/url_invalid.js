for (const text of ['', 'x', '//x', 'http://', 'http://a b/', 'http://x:99999', 'http://[::1', 'http://%zz/', 'https://exa%23mple.org']) log(text, caught(() => new URL(text)), URL.canParse(text));
log(caught(() => new URL()), caught(() => URL('http://x')), caught(() => new URL('x', 'y')), URL.canParse('x', 'http://y'));
