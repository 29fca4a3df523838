export default function () {
  console.log('log', 1, true, null, undefined);
  console.info('info "quoted" and\ttab\nand line');
  console.warn('warn');
  console.error('error');
  console.debug('not shown');
  console.log('');
  console.log('a=b', 'ü ✓');
}
