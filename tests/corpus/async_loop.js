// args: --iterations 5
const wait = (ms, value) => new Promise((resolve) => setTimeout(() => resolve(value), ms));

export default async function () {
  switch (__ITER) {
    case 0:
      console.log(await wait(5, 'a'));
      console.log((await Promise.all([wait(9, 'b'), wait(3, 'c')])).join());
      return 'ignored';
    case 1:
      await wait(5);
      throw new Error('after waiting');
    case 2:
      setTimeout(() => console.log('timer of an iteration whose promise settles early'), 10);
      return;
    case 3:
      await new Promise(() => {});
      return;
    case 4:
      await wait(1).then(() => { throw new RangeError('chained'); }).catch((e) => console.log(`caught ${e.message}`));
  }
}
