/** What the administrator’s commands do, for tests of what follows from them. */
export { runCommand } from './commands.js';
export { rotateMasterKey } from './rotate-master-key.js';
