import { twice, me } from './lib/helper.js';
import * as helper from './lib/helper.js';

const text = open('./lib/data.txt');
const bytes = new Uint8Array(open('./lib/data.txt', 'b'));

export default function () {
  console.log(`${twice(21)} ${me} ${helper.twice === twice}`);
  console.log(`${JSON.stringify(text)} ${bytes.length}`);
  try { open('./lib/data.txt'); } catch (e) { console.log(e.message.split(',')[0]); }
}
