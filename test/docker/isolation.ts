import { isDeepStrictEqual } from 'node:util';

interface Inspected {
  Config: { User: string };
  HostConfig: Record<string, unknown> & { SecurityOpt: string[] };
  Mounts: { Type: string; Destination: string }[];
}

/** What `docker inspect` says of an agent's container, in a line. Errors: names what is not as it must be. */
export async function isolationOf(name: string, docker: (...args: string[]) => Promise<string>): Promise<string> {
  const [found] = JSON.parse(await docker('inspect', name)) as Inspected[];
  if (!found) throw new Error(`there is no container ${name}`);
  const { Config, HostConfig, Mounts } = found;
  const expected: Record<string, unknown> = {
    NetworkMode: 'none',
    CapDrop: ['ALL'],
    CapAdd: null,
    Privileged: false,
    ReadonlyRootfs: true,
    PidsLimit: 512,
    Memory: 512 * 2 ** 20,
    MemorySwap: 512 * 2 ** 20,
    NanoCpus: 500_000_000,
    Binds: null,
  };
  const wrong = Object.entries(expected).filter(([key, value]) => !isDeepStrictEqual(HostConfig[key], value));
  if (wrong.length > 0)
    throw new Error(`${name}: ${wrong.map(([key]) => `${key} is ${JSON.stringify(HostConfig[key])}`).join(', ')}`);
  const isIsolated =
    Config.User === '1000:1000' &&
    HostConfig.SecurityOpt.includes('no-new-privileges') &&
    HostConfig.SecurityOpt.some((option) => option.startsWith('seccomp={')) &&
    Mounts.every(({ Type, Destination }) => Type === 'volume' && Destination === '/workspace');
  if (!isIsolated) throw new Error(`${name}: ${JSON.stringify({ Config, Mounts })}`);
  const settings = ['NetworkMode', 'CapDrop', 'ReadonlyRootfs', 'PidsLimit', 'Memory', 'NanoCpus'];
  return settings.map((key) => `${key}=${JSON.stringify(HostConfig[key])}`).join(' ') + ` User=${Config.User} seccomp`;
}
