/** Makes the SDK's core from the API, for the test that it is the one that is kept. */
export { generateSdk } from './generate.js';
