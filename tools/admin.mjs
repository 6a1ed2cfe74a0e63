/** `roost admin`: builds what is missing, then runs the administrator's program in this same process. */
import { ensureBuilt } from './ensure-built.mjs';

try {
  await ensureBuilt();
} catch (error) {
  console.error(`Roost: ${error.message}`);
  process.exit(1);
}
await import('../dist/tools/admin/main.js');
