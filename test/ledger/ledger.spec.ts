import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownedFolder, removeFolder, TcpLink, until } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { checkRecord, type Promised } from './check/check-record.js';
import type { FaultClass } from './faults/fault-class.js';
import { faultClasses } from './faults/index.js';
import { planFaults } from './run-plan.js';
import { randomFrom } from './random.js';
import type { Line, Seen } from './record.js';
import { patched, patchedBuild } from './roost/builds.js';
import { Disk } from './roost/disk.js';

/** A second between two lines. */
const record = (lines: Seen[]): Line[] => lines.map((seen, index) => ({ t: index * 1_000, ...seen }));

const exchange = (n: number): Seen[] => [
  { kind: 'sent', n, agent: 'a', conversation: 'c', via: 'api' },
  { kind: 'accepted', n, id: `m${n}` },
  { kind: 'event', agent: 'a', id: `created${n}`, type: 'message.created', messages: [`m${n}`] },
  { kind: 'event', agent: 'a', id: `completed${n}`, type: 'message.completed', messages: [`m${n}`], turn: `t${n}` },
  { kind: 'webhook', id: `w${n}`, type: 'message.completed', message: `m${n}` },
];
const listed = (role: 'user' | 'assistant', ...numbers: number[]): Seen => ({
  ...{ kind: 'listed', agent: 'a', conversation: 'c', role, numbers },
});
const chat = (n: number): Seen => ({ kind: 'sent', n, agent: 'b', conversation: '1', via: 'chat' });
const slot = (at: string, status = 'completed'): Seen => ({ kind: 'slot', schedule: 's', at, status, everyMs: 5_000 });
const told = (input: number, ended: number): Seen => ({ kind: 'told', steps: 1, input, output: 2, ended });

const whole: Seen[] = [
  ...exchange(0),
  ...exchange(1),
  chat(2),
  { kind: 'written', agent: 'a', path: 'f', content: 'x' },
  told(1_000, 0),
  told(1_001, 50_000),
  ...[listed('user', 0), listed('assistant', 0), listed('user', 1), listed('assistant', 1)],
  { kind: 'shown', chat: 'b', numbers: [2] },
  { kind: 'schedule', schedule: 's', from: 0, until: 14_000, everyMs: 5_000 },
  slot('1970-01-01T00:00:05Z'),
  slot('1970-01-01T00:00:10Z'),
  { kind: 'read', agent: 'a', path: 'f', content: 'x' },
  { kind: 'usage', steps: 2, input: 2_001, output: 4 },
  { kind: 'end' },
];

async function broken(lines: Seen[]): Promise<Promised[]> {
  const { findings } = await checkRecord(record(lines), { stuckMs: 60_000 });
  return [...new Set(findings.map(({ promise }) => promise))];
}
const without = (isGone: (line: Seen) => boolean) => whole.filter((line) => !isGone(line));
const changed = (isMeant: (line: Seen) => boolean, change: object) =>
  whole.map((line) => (isMeant(line) ? ({ ...line, ...change } as Seen) : line));

describe('the checker', () => {
  it('finds nothing in a record in which all is as promised', async () => {
    expect(await broken(whole)).toEqual([]);
  });

  it.each<[string, Seen[], Promised]>([
    ['a reply that is missing', without((line) => line.kind === 'listed' && line.role === 'assistant'), 'answered'],
    ['a message that was never accepted', without((line) => line.kind === 'accepted' && line.n === 1), 'accepted'],
    ['a reply that is there twice', [...whole, listed('assistant', 1)], 'answered'],
    ['a message that was stored twice', [...whole, listed('user', 1)], 'answered'],
    ['two turns for one message', [...whole, { ...exchange(1)[3], id: 'x', turn: 't9' } as Seen], 'answered'],
    ['an event that came twice', [...whole, ...exchange(1).slice(3, 4)], 'answered'],
    ['an order that is another', [...whole.slice(0, -1), listed('user', 9), listed('user', 8)], 'order'],
    ['a webhook that never came', without((line) => line.kind === 'webhook' && line.message === 'm1'), 'webhooks'],
    ['a webhook with two ids', [...whole, { kind: 'webhook', id: 'w9', type: 't', message: 'm1' }], 'webhooks'],
    ['a chat reply that is missing', without(({ kind }) => kind === 'shown'), 'chats'],
    ['a chat reply that is shown twice', [...whole, { kind: 'shown', chat: 'b', numbers: [2] }], 'chats'],
    ['a slot that is missing', [...whole, slot('1970-01-01T00:00:20Z')], 'slots'],
    ['a slot before its time', [...whole, slot('1970-01-01T01:00:00Z')], 'slots'],
    ['slots that end too early', changed(({ kind }) => kind === 'schedule', { until: 30_000 }), 'slots'],
    ['a slot that failed', [...whole, slot('1970-01-01T00:00:15Z', 'failed')], 'slots'],
    ['a file that is another', changed(({ kind }) => kind === 'read', { content: 'y' }), 'files'],
    ['a file that is gone', changed(({ kind }) => kind === 'read', { content: null }), 'files'],
    ['a token too much', changed(({ kind }) => kind === 'usage', { output: 5 }), 'usage'],
    ['a step that is missing', changed(({ kind }) => kind === 'usage', { steps: 1, input: 1_000, output: 2 }), 'usage'],
    ['a request that is refused', [...whole, { kind: 'refusal', why: 'anthropic: no' }], 'requests'],
  ])('finds %s', async (_, lines, promise) => {
    expect(await broken(lines)).toContain(promise);
  });

  it('finds what waits for more than a minute', async () => {
    const lines = record(whole);
    const last = lines.map((line) =>
      line.kind === 'event' && line.id === 'completed1' ? { ...line, t: 99_000 } : line,
    );
    const { findings } = await checkRecord(last, { stuckMs: 60_000 });
    expect(findings.map(({ promise }) => promise)).toEqual(['time']);
  });

  it('takes a chat reply that is listed as uncertain, and a step that died with its worker', async () => {
    const lines = changed(({ kind }) => kind === 'usage', { steps: 1, input: 1_000, output: 2 })
      .filter(({ kind }) => kind !== 'shown')
      .concat({ kind: 'uncertain', chat: 'b', numbers: [2] });
    const timed = [
      ...record(lines),
      { t: 49_000, kind: 'fault', fault: 'kills', what: 'kill -9', endsWorkers: true } as const,
    ];
    expect((await checkRecord(timed, { stuckMs: 60_000 })).findings).toEqual([]);
  });

  it('measures from a fault to the first answer of what was sent after it', async () => {
    const fault: Seen = { kind: 'fault', fault: 'kills', what: 'kill -9 of nats', endsWorkers: false };
    const { recoveries } = await checkRecord(
      record([...exchange(0).slice(0, 3), fault, ...exchange(0).slice(3), ...exchange(1)]),
      {
        stuckMs: 60_000,
      },
    );
    expect(recoveries.get('kills')).toEqual({ faults: 1, longestMs: 6_000, longestWhat: 'kill -9 of nats' });
  });
});

describe('the plan', () => {
  it('is the same for the same seed, and holds as many of each class as were asked for', () => {
    const counts = new Map<FaultClass, number>(faultClasses.map((fault, index) => [fault, index + 1]));
    const plan = planFaults(randomFrom(7), counts, 60_000);
    expect(planFaults(randomFrom(7), counts, 60_000)).toEqual(plan);
    expect(planFaults(randomFrom(8), counts, 60_000)).not.toEqual(plan);
    for (const [fault, count] of counts) expect(plan.filter((planned) => planned.fault === fault)).toHaveLength(count);
  });
});

describe('positive controls', () => {
  it.each(faultClasses.map((fault) => [fault.name, fault] as const))(
    '%s: the line that guards against it is in this build once',
    (_, { control }) => {
      for (const patch of control.patches) expect(patched(patch)).toContain(patch.instead);
    },
  );

  it('take all their lines out, also several of one file', async () => {
    const patches = faultClasses.find(({ name }) => name === 'wiped-nats')?.control.patches ?? [];
    expect(new Set(patches.map(({ file }) => file)).size).toBeLessThan(patches.length);
    const folder = ownedFolder();
    const { root } = patchedBuild(join(folder, 'build'), 'patched', patches);
    for (const { file, instead } of patches) expect(readFileSync(join(root, 'dist', file), 'utf8')).toContain(instead);
    await removeFolder(folder);
  });
});

describe('a link', () => {
  it('passes, delays, holds back and resets, and loses no byte but by a reset', async () => {
    const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const link = await TcpLink.open((echo.address() as AddressInfo).port);
    const [host = '', port] = link.address.split(':');
    const client = connect({ host, port: Number(port) });
    let received = '';
    let isClosed = false;
    client.on('data', (data) => (received += data.toString()));
    client.on('error', () => undefined).on('close', () => (isClosed = true));
    try {
      client.write('a');
      await until('it passes', () => received === 'a');
      link.setFault({ kind: 'delay', ms: 100 });
      const sentAt = performance.now();
      for (const letter of 'bcdef') client.write(letter);
      await until('it comes late', () => received === 'abcdef');
      expect(performance.now() - sentAt).toBeGreaterThan(190);
      for (const kind of ['partition', 'half'] as const) {
        link.setFault({ kind });
        client.write(kind);
        await new Promise((done) => setTimeout(done, 100));
        expect(received).not.toContain(kind);
        link.setFault(undefined);
        await until('it comes afterwards', () => received.endsWith(kind));
      }
      link.setFault({ kind: 'reset' });
      await until('it is reset', () => isClosed);
    } finally {
      client.destroy();
      await link.close();
      echo.close();
    }
  });
});

const noDisk = Disk.missing();
describe.skipIf(noDisk !== undefined)(`a disk${noDisk === undefined ? '' : ` (${noDisk})`}`, () => {
  it('keeps what was synced over a power cut and nothing else, and is full when it is filled', async () => {
    const folder = ownedFolder();
    const disk = await Disk.make(folder, 64);
    const path = (name: string) => join(disk.path, name);
    try {
      writeFileSync(path('synced'), 'kept', { flush: true });
      writeFileSync(path('unsynced'), 'lost');
      disk.cutPower();
      expect(() => writeFileSync(path('later'), 'no')).toThrow();
      await disk.restorePower();
      expect(readFileSync(path('synced'), 'utf8')).toBe('kept');
      expect(() => expect(readFileSync(path('unsynced'), 'utf8')).toBe('lost')).toThrow();
      disk.fill();
      expect(() => writeFileSync(path('more'), 'x'.repeat(10_000))).toThrow(/ENOSPC/);
      disk.empty();
      writeFileSync(path('more'), 'x'.repeat(10_000));
    } finally {
      await disk.remove();
      await removeFolder(folder);
    }
  });

  it('is whole after power cuts, also when another mount namespace still holds what was cut', async () => {
    const folder = ownedFolder();
    const disk = await Disk.make(folder, 64);
    const path = (name: string) => join(disk.path, name);
    const holders: ChildProcess[] = [];
    try {
      for (let cut = 0; cut < 4; cut += 1) {
        const holder = spawn('unshare', ['--mount', 'sh', '-c', `cd ${disk.path} && echo held && exec sleep 60`]);
        holders.push(holder);
        await once(holder.stdout, 'data');
        for (let n = 0; n < 50; n += 1) writeFileSync(path(`unsynced-${cut}-${n}`), 'x'.repeat(10_000));
        writeFileSync(path(`synced-${cut}`), `kept ${cut}`, { flush: true });
        for (let n = 0; n < 50; n += 1) writeFileSync(path(`later-${cut}-${n}`), 'x'.repeat(10_000));
        disk.cutPower();
        await disk.restorePower();
        for (let earlier = 0; earlier <= cut; earlier += 1)
          expect(readFileSync(path(`synced-${earlier}`), 'utf8')).toBe(`kept ${earlier}`);
      }
      for (const holder of holders) {
        holder.kill('SIGKILL');
        await once(holder, 'close');
      }
      execFileSync('umount', [disk.path]);
      expect(execFileSync('e2fsck', ['-fn', join(folder, 'disk.ext4')], { encoding: 'utf8' })).not.toMatch(
        /error|fix/i,
      );
      execFileSync('mount', ['-o', 'loop', join(folder, 'disk.ext4'), disk.path]);
    } finally {
      for (const holder of holders) holder.kill('SIGKILL');
      await disk.remove();
      await removeFolder(folder);
    }
  });

  it('has room after a power cut, also when what filled it is back because its removal was not synced', async () => {
    const folder = ownedFolder();
    const disk = await Disk.make(folder, 64);
    try {
      disk.fill();
      execFileSync('sync', ['--file-system', disk.path]);
      disk.empty();
      disk.cutPower();
      await disk.restorePower();
      writeFileSync(join(disk.path, 'more'), 'x'.repeat(30 * 1_048_576));
    } finally {
      await disk.remove();
      await removeFolder(folder);
    }
  });
});
