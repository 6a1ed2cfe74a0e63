/** Takes the values of secrets, and the forms that programs make of them, out of answers (docs/security.md). */
export { markOf, needlesOf, scrubText } from './needles.js';
export { ByteScrubber, Scrubber } from './scrubber.js';
export { withoutSecrets } from './response.js';
