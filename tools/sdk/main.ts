import { resolve } from 'node:path';
import { generateSdk } from './generate.js';

/** `npm run generate:sdk`: after a change of the API. */
await generateSdk(resolve('packages/sdk/src/generated'));
