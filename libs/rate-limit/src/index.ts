/** How often something may happen, counted in this process. */
export { RateLimit } from './rate-limit.js';
