import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

/** A folder or file of the host, shown read-only under a path inside, or a link there. */
export type Shown = { inside: string; source: string } | { inside: string; link: string };

/** What sandboxes see of the host: its programs and libraries, and what those need of /etc. Nothing in it is secret. */
export function hostSystem(): Shown[] {
  return [
    { inside: '/usr', source: '/usr' },
    ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap(systemFolder),
    ...[...hostEtc, ...readdirSync('/etc').filter((name) => /^java-\d+-\w+$/.test(name))]
      .map((name) => `/etc/${name}`)
      .flatMap((path) => (existsSync(path) ? [{ inside: path, source: path }] : [])),
  ];
}

const hostEtc = [
  'ssl',
  'ca-certificates',
  'alternatives',
  'ld.so.cache',
  'localtime',
  'mime.types',
  'magic',
  'python3',
  'terminfo',
];

/** On merged systems /bin is a link into /usr, elsewhere a folder of its own. */
function systemFolder(name: string): Shown[] {
  const path = `/${name}`;
  if (!existsSync(path)) return [];
  const isLink = lstatSync(path).isSymbolicLink();
  return [isLink ? { inside: path, link: readlinkSync(path) } : { inside: path, source: path }];
}

/** The folder of a Node that was installed outside the system, e.g. by nvm: agents get the same `node` and `npm`. */
export function nodePrefix(): string | undefined {
  const node = realpathSync(process.execPath);
  return node.startsWith('/usr/') ? undefined : dirname(dirname(node));
}

/** Where such a Node is inside. */
export const nodeInside = '/opt/node';

/** The folder, inside, of the programs of such a Node. */
export function nodePrograms(): string | undefined {
  return nodePrefix() && `${nodeInside}/bin`;
}
