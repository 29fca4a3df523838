log(btoa(''), btoa('a'), btoa('ab'), btoa('abc'), btoa('\x00\xff'), btoa(5), btoa(null));
log(caught(() => btoa()), caught(() => atob()), caught(() => btoa('€')), caught(() => btoa('a\u0100')));

for (const text of ['', 'YQ==', 'YQ', 'YWI=', 'YWJj', ' Y Q = = ', 'YR==']) log(JSON.stringify(atob(text)));
for (const text of ['Y', 'YQ=', 'YQ===', '=', '????', 'YWJj-', '\u00a0', '€']) log(caught(() => atob(text)));
log(atob(btoa('\x80\xfe')) === '\x80\xfe');
