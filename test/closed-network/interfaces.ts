import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';

/** Addresses of the program under test; from ranges that nobody may be reached at. */
const client4 = '198.18.0.1';
const client6 = '2001:db8:0:1::1';
const gateway4 = '198.18.0.2';
const gateway6 = 'fe80::2';

const macOf = {
  open0: '02:00:00:00:00:10',
  open1: '02:00:00:00:00:11',
  shut0: '02:00:00:00:00:20',
  shut1: '02:00:00:00:00:21',
};

/** Interfaces of this network namespace. */
export function interfaceNames(): string[] {
  return [...readFileSync('/proc/self/net/dev', 'utf8').matchAll(/^\s*(\S+):/gm)].map(([, name = '']) => name);
}

/** Packets that an interface has sent. */
export function packetsSent(name: string): number {
  const line = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .find((text) => text.trimStart().startsWith(`${name}:`));
  return Number(line?.split(':')[1]?.trim().split(/\s+/)[9] ?? Number.NaN);
}

/** The program's end: `open` leaves by open0, loopback stays, everything else leaves by shut0. */
export function makeClientInterfaces(internetPid: number, open: readonly string[]): void {
  quietKernel();
  const routes = open.map((address) =>
    isIPv4(address)
      ? `route add ${address}/32 via ${gateway4} dev open0 onlink src ${client4}`
      : `route add ${address}/128 via ${gateway6} dev open0 src ${client6}`,
  );
  ip([
    'link set lo up',
    `addr add ${client4}/32 dev lo`,
    `addr add ${client6}/128 dev lo nodad`,
    ...pair('open0', 'open1', internetPid),
    ...pair('shut0', 'shut1', internetPid),
    ...neighbours('open0', 'open1', gateway4, gateway6),
    ...neighbours('shut0', 'shut1', gateway4, gateway6),
    `route add default via ${gateway4} dev shut0 onlink src ${client4}`,
    `route add ::/0 via ${gateway6} dev shut0 src ${client6}`,
    ...routes,
  ]);
}

/** The other end, where every address of the world is at home. */
export function makeInternetInterfaces(): void {
  quietKernel();
  ip([
    'link set lo up',
    ...['open1', 'shut1'].flatMap((name) => [`link set ${name} addrgenmode none`, `link set ${name} up`]),
    ...neighbours('open1', 'open0', client4, client6),
    `route add ${client4}/32 dev open1`,
    `route add ${client6}/128 dev open1`,
    'route add local 0.0.0.0/0 dev lo table main',
    'route add local ::/0 dev lo table main',
  ]);
}

function pair(near: keyof typeof macOf, far: keyof typeof macOf, pid: number): string[] {
  return [
    `link add ${near} address ${macOf[near]} type veth peer name ${far} address ${macOf[far]} netns ${pid}`,
    `link set ${near} addrgenmode none`,
    `link set ${near} up`,
  ];
}

/** Fixed, so that nobody asks who has an address: such questions would be counted as packets. */
function neighbours(near: string, far: keyof typeof macOf, v4: string, v6: string): string[] {
  return [v4, v6].map((address) => `neigh replace ${address} lladdr ${macOf[far]} dev ${near} nud permanent`);
}

/** Answers may come back by another interface than the question left by, and nothing speaks unasked. */
function quietKernel(): void {
  const folder = '/proc/sys/net/ipv4/conf';
  for (const name of readdirSync(folder)) writeFileSync(`${folder}/${name}/rp_filter`, '0');
  for (const name of ['all', 'default']) {
    for (const [setting, value] of [
      ['disable_ipv6', '0'],
      ['accept_dad', '0'],
      ['accept_ra', '0'],
      ['router_solicitations', '0'],
    ] as const)
      writeFileSync(`/proc/sys/net/ipv6/conf/${name}/${setting}`, value);
  }
}

function ip(commands: string[]): void {
  const done = spawnSync('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n`, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`the closed network could not be made: ${done.stderr}`);
}
