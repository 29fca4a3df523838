import { findBetween } from 'https://jslib.k6.io/k6-utils/1.2.0/index.js';
const text = '<a>one</a><a>two</a><a></a>';
log(findBetween(text, '<a>', '</a>'), findBetween(text, '<b>', '</b>'), findBetween(text, '<a>', '</b>'));
log(JSON.stringify(findBetween(text, '<a>', '</a>', true)), findBetween(text, '<b>', '</b>', true));
