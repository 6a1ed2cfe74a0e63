/** What the administrator’s commands do, for tests of what follows from them. */
export { rotateMasterKey } from './rotate-master-key.js';
