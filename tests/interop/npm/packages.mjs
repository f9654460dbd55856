// The packages live in the cache folder named by NODE_MODULES, not beside these scripts.

import { createRequire } from 'node:module';

export const load = createRequire(`${process.env.NODE_MODULES}/`);
export const version = (name) => load(`${process.env.NODE_MODULES}/${name}/package.json`).version;
