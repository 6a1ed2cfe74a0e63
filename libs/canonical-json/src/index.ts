/** One text for one JSON value, and the hash by which a call is known again. */
export { canonicalJson } from './canonical-json.js';
export { callHash } from './call-hash.js';
