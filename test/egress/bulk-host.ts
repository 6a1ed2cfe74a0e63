import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BulkHostStart } from './bulk-host-process.js';

/** As it was built, seen from the source as from the build. */
const program = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/test\/egress\/[^/]*$/, '/dist/test/egress/bulk-host-process.js'),
);

/**
 * A TLS host of large bodies, in a process of its own: `GET /?bytes=N` returns so many, `&type=` as of that type; any
 * other method reads what it is sent and returns how many bytes those were.
 */
export async function startBulkHost(start: BulkHostStart) {
  const child = fork(program, { execArgv: [] });
  child.send(start);
  const [port] = (await once(child, 'message')) as [number];
  return { host: `${start.name}:${port}`, port, close: () => child.kill() };
}
