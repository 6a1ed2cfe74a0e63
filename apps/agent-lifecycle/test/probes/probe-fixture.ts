import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callNumber, type ProbeFixture } from './probe.js';

/** Makes the canaries. `busPort`: where the bus listens on 127.0.0.1. */
export async function probeFixture(busPort: number): Promise<ProbeFixture & { clear(): Promise<void> }> {
  const token = `canary${randomBytes(8).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'roost-probes-'));
  const foreignFolder = join(folder, 'volumes');
  mkdirSync(foreignFolder);
  const files: [string, number][] = [
    [join(folder, 'canary'), 0o644],
    [join(folder, 'writable'), 0o666],
    [join(foreignFolder, 'secret'), 0o644],
    [`/tmp/p-${token}`, 0o644],
    [`/dev/shm/p-${token}`, 0o644],
  ];
  for (const [path, mode] of files) {
    writeFileSync(path, `${token}\n`);
    chmodSync(path, mode);
  }
  chmodSync(folder, 0o777);

  const unixSocket = join(folder, 'socket');
  const abstractSocket = `roost-${token}`;
  const servers = await Promise.all([
    listen(token, { port: 0, host: '::' }),
    listen(token, { path: unixSocket }),
    listen(token, { path: `\0${abstractSocket}` }),
  ]);
  chmodSync(unixSocket, 0o777);

  const hostPidMark = `mark${token}`;
  const process_ = spawn('/bin/sh', ['-c', 'sleep 600; :', hostPidMark], { stdio: 'ignore', detached: true });
  const sharedMemoryKey = 0x526f + randomBytes(2).readUInt16LE(0) * 0x10000;
  const messageQueue = `p-${token}`;
  perl(`$i = shmget(${sharedMemoryKey}, 64, 0666 | 01000); shmwrite($i, "${token}", 0, 64)`);
  perl(`$n = "${messageQueue}\\0"; syscall(${callNumber('mq_open')}, $n, 0100, 0666, 0)`);
  process.env['ROOST_PROBE_CANARY'] = token;

  return {
    token,
    folder,
    foreignFolder,
    hostPid: process_.pid ?? 0,
    hostPidMark,
    port: (servers[0].address() as AddressInfo).port,
    busPort,
    unixSocket,
    abstractSocket,
    sharedMemoryKey,
    messageQueue,
    disk: rootDisk(),
    async clear() {
      delete process.env['ROOST_PROBE_CANARY'];
      perl(`$i = shmget(${sharedMemoryKey}, 64, 0); shmctl($i, 0, 0)`);
      perl(`$n = "${messageQueue}\\0"; syscall(${callNumber('mq_unlink')}, $n)`);
      if (process_.pid !== undefined) process.kill(-process_.pid, 'SIGKILL');
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      for (const [path] of files) rmSync(path, { force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sends the token at once and, to HTTP clients, as a response. */
function listen(token: string, where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // Whoever does not close would keep the server from closing.
    socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${token}\n`, () => socket.destroy());
  });
  return new Promise((resolve, reject) => server.once('error', reject).listen(where, () => resolve(server)));
}

function perl(script: string): void {
  execFileSync('perl', ['-e', script]);
}

function rootDisk(): ProbeFixture['disk'] {
  const { dev } = statSync('/');
  const [major, minor] = [(dev >> 8) & 0xfff, dev & 0xff];
  const path = `/dev/block/${major}:${minor}`;
  const source = execFileSync('findmnt', ['-no', 'SOURCE', '/'], { encoding: 'utf8' }).trim();
  return { path: source.startsWith('/') ? source : path, major, minor };
}
