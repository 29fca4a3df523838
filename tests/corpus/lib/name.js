export const name = 'helper';
