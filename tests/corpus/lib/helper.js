// Imported by modules.js.
import { name } from './name.js';

export const me = name;
export function twice(n) { return 2 * n; }
