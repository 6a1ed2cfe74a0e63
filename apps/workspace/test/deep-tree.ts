import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';

/** Makes directories of the same name, one in the other, and a file in the last: deeper than any path may be long. */
export function makeDeepTree(root: string, name: string, depth: number): void {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  let fd = openSync(root, flags);
  for (let made = 0; made < depth; made += 1) {
    const below = `/proc/self/fd/${fd}/${name}`;
    mkdirSync(below);
    const next = openSync(below, flags);
    closeSync(fd);
    fd = next;
  }
  writeFileSync(`/proc/self/fd/${fd}/f`, 'x\n');
  closeSync(fd);
}
