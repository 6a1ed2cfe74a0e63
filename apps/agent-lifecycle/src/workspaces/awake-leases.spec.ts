import { deferred, until } from '#lib/testing';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';
import { type WorkspacesReplica, workspacesReplica } from '../../test/replica.js';
import { Platform } from '../../test/shared-platform.js';
import type { AWAKE_TIMES } from './awake-leases.js';
import { countAwake, deleteLeases, renewRunning } from './awake-leases.repository.js';

const LIMIT = 2;

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService();
});
afterAll(() => service.stop());

/** A replica of the service on `platform`, with shorter times. */
function replica(platform: Platform, times: Partial<typeof AWAKE_TIMES> = {}): WorkspacesReplica {
  const made = workspacesReplica(service, platform, { ROOST_QUOTA_AWAKE_WORKSPACES: String(LIMIT) });
  made.leases.times = { waitMs: 60_000, minIdleMs: 20, startGraceMs: 40, leaseMs: 60_000, pollMs: 5, ...times };
  return made;
}

const awakeOf = (account: string) => countAwake(service.rows, account);

/** Notes the most that were awake at once of the agents given. */
class WatchedPlatform extends Platform {
  most = 0;
  constructor(private readonly watched: Set<string>) {
    super();
    const add = this.holders.set.bind(this.holders);
    this.holders.set = (agentId, holder) => {
      add(agentId, holder);
      this.most = Math.max(this.most, [...this.holders.keys()].filter((id) => this.watched.has(id)).length);
      return this.holders;
    };
  }
}

const agents = (count: number, account = randomUUID()) =>
  Promise.all(Array.from({ length: count }, async () => (await service.agent({}, account)).id)).then((ids) => ({
    account,
    ids,
  }));
const wake = ({ workspaces }: WorkspacesReplica, agentId: string) => workspaces.ensure({ agentId, accountId: null });

describe('an account that may have two workspaces awake', () => {
  it('never has more, over two replicas, whatever is woken, put to sleep or crashes, and every wake comes to its end', async () => {
    const { account, ids } = await agents(6);
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('wake' as const), agent: fc.nat(5), by: fc.nat(1) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), agent: fc.nat(5), by: fc.nat(1) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('reconcile' as const), agent: fc.nat(5), by: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), agent: fc.nat(5), by: fc.nat(1) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await service.rows.query(`DELETE FROM awake_workspaces WHERE account_id = $1`, [account]);
        const platform = new WatchedPlatform(new Set(ids));
        const replicas = [replica(platform), replica(platform)];
        const wakes: Promise<void>[] = [];
        for (const { do: what, agent, by } of steps) {
          const one = replicas[by]!;
          if (what === 'wake') wakes.push(wake(one, ids[agent]!));
          else if (what === 'sleep') await one.workspaces.sleep(ids[agent]!);
          else if (what === 'reconcile') await one.reconciler.reconcile();
          else platform.holders.delete(ids[agent]!);
        }
        await Promise.all(wakes);
        expect(platform.most).toBeLessThanOrEqual(LIMIT);
        for (const { reconciler } of replicas) await reconciler.reconcile();
        expect(await awakeOf(account)).toBe(platform.holders.size);
        for (const id of ids) await replicas[0]!.workspaces.sleep(id);
        expect(await awakeOf(account)).toBe(0);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });

  it('never has more either when another replica was quicker to start a workspace, and it has given up its lease since', async () => {
    const { account, ids } = await agents(3);
    const [slow, second, third] = ids as [string, string, string];
    const platform = new WatchedPlatform(new Set(ids));
    const [one, other] = [replica(platform), replica(platform)];
    const { specs } = one.launcher;
    const specOf = specs.of.bind(specs);
    let looks = 0;
    const start = deferred();
    specs.of = async (agent) => {
      if (++looks === 2) await start.promise;
      return specOf(agent);
    };
    const waking = wake(one, slow);
    await until('its start has the quota', () => looks === 2);
    for (const id of [slow, second]) await wake(other, id);
    await delay(80);
    await wake(other, third);
    expect([...platform.holders.keys()]).toEqual([second, third]);
    await delay(80);
    start.resolve();
    await waking;
    expect(platform.holders.has(slow)).toBe(true);
    expect(platform.most).toBe(LIMIT);
    expect(await awakeOf(account)).toBe(LIMIT);
  });

  it('never has more either when a workspace is started again before its lease ends, and by another replica', async () => {
    const { account, ids } = await agents(3);
    const [again, second, third] = ids as [string, string, string];
    const platform = new WatchedPlatform(new Set(ids));
    const [slow, other] = [replica(platform), replica(platform)];
    await wake(slow, again);
    const ended = slow.leases.ended.bind(slow.leases);
    const end = deferred();
    slow.leases.ended = (...of) => end.promise.then(() => ended(...of));
    const sleeping = slow.workspaces.sleep(again);
    await until('it sleeps', () => !platform.holders.has(again));
    for (const id of [again, second]) await wake(other, id);
    end.resolve();
    await sleeping;
    expect(await awakeOf(account)).toBe(LIMIT);
    await delay(80);
    await wake(other, third);
    expect(platform.most).toBe(LIMIT);
  });

  it('never has more either when two replicas start the same workspace in place of one that is slow to stop', async () => {
    const { account, ids } = await agents(3);
    const [idle, used, next] = ids as [string, string, string];
    const platform = new WatchedPlatform(new Set(ids));
    const [slow, other] = [replica(platform), replica(platform)];
    for (const id of [idle, used]) await wake(slow, id);
    await delay(80);
    const stop = deferred();
    const sleep = vi
      .spyOn(slow.driver, 'sleep')
      .mockImplementation((id) => stop.promise.then(() => other.driver.sleep(id)));
    const waking = wake(slow, next);
    await until('it stops the idle one', () => sleep.mock.calls.length === 1);
    await wake(other, next);
    stop.resolve();
    await waking;
    expect([...platform.holders.keys()]).toEqual([used, next]);
    expect(platform.most).toBe(LIMIT);
    expect(await awakeOf(account)).toBe(LIMIT);
  });

  it('never has more either when a workspace is asked for while it is put to sleep for another', async () => {
    const { account, ids } = await agents(3);
    const [idle, used, next] = ids as [string, string, string];
    const platform = new WatchedPlatform(new Set(ids));
    const one = replica(platform);
    for (const id of [idle, used]) await wake(one, id);
    await delay(80);
    // As drivers do: a start waits for a stop that is under way.
    const stop = deferred();
    const ensure = one.driver.ensure.bind(one.driver);
    const sleep = vi.spyOn(one.driver, 'sleep').mockImplementationOnce(async (id) => {
      await stop.promise;
      platform.holders.delete(id);
    });
    vi.spyOn(one.driver, 'ensure').mockImplementation((spec) =>
      spec.agentId === idle ? stop.promise.then(() => ensure(spec)) : ensure(spec),
    );
    const waking = wake(one, next);
    await until('it stops the idle one', () => sleep.mock.calls.length === 1);
    const again = wake(one, idle);
    await until(
      'the other gives way to it',
      async () => !(await service.rows.query(`SELECT 1 FROM awake_workspaces WHERE agent_id = $1`, [used])).length,
    );
    stop.resolve();
    await Promise.all([waking, again]);
    expect([...platform.holders.keys()].sort()).toEqual([next, idle].sort());
    expect(platform.most).toBe(LIMIT);
    expect(await awakeOf(account)).toBe(LIMIT);
  });

  it('never has more either when a lease is renewed between two looks at the others', async () => {
    const { account, ids } = await agents(4);
    const [asleep, next, ...busy] = ids as [string, string, ...string[]];
    const platform = new WatchedPlatform(new Set(ids));
    const one = replica(platform);
    for (const id of busy) {
      await wake(one, id);
      one.activity.touch(id, 60_000);
    }
    // A round of the reconciler saw it running, and writes that after it was put to sleep.
    const renew = () =>
      renewRunning(service.rows, [{ agentId: asleep, sinceUseMs: 1_000, isReported: true }], '-infinity', 60_000);
    const transaction = service.rows.transaction.bind(service.rows);
    vi.spyOn(service.rows, 'transaction').mockImplementationOnce((work) =>
      transaction(async (tx) => {
        const { query } = tx;
        const thenRenewed = async (sql: string, values?: unknown[]) => {
          const rows = await query(sql, values);
          if (sql.includes('count(')) await renew();
          return rows;
        };
        return work(Object.assign(tx, { query: thenRenewed }));
      }),
    );
    const waking = wake(one, next);
    await delay(100);
    expect(platform.holders.has(next)).toBe(false);
    await one.workspaces.sleep(busy[0]!);
    await waking;
    expect(platform.most).toBe(LIMIT);
    expect(await awakeOf(account)).toBe(LIMIT);
  });

  it('keeps the lease of a workspace that another replica has started, when a start of its own fails', async () => {
    const { account, ids } = await agents(1);
    const platform = new Platform();
    const [failing, other] = [replica(platform), replica(platform)];
    const start = deferred();
    const ensure = vi.spyOn(failing.driver, 'ensure').mockImplementation(async () => {
      await start.promise;
      throw new Error('there is no space left');
    });
    const waking = wake(failing, ids[0]!);
    await until('it starts', () => ensure.mock.calls.length === 1);
    await wake(other, ids[0]!);
    start.resolve();
    await expect(waking).rejects.toThrow('there is no space left');
    expect(await awakeOf(account)).toBe(1);
  });

  it('has the one put to sleep that was used longest ago, and those last that are meant never to sleep', async () => {
    const account = randomUUID();
    const { id: always } = await service.agent({ warmth_window_ms: null }, account);
    const { ids } = await agents(2, account);
    const platform = new Platform();
    const one = replica(platform);
    await wake(one, always);
    await wake(one, ids[0]!);
    await delay(80);
    await wake(one, ids[1]!);
    expect([...platform.holders.keys()]).toEqual([always, ids[1]]);
  });

  it('waits while all are in use, gets quota, limit and use in the refusal, and does not delay another account', async () => {
    const { ids } = await agents(3);
    const platform = new Platform();
    const one = replica(platform, { waitMs: 300 });
    for (const id of ids.slice(0, 2)) {
      await wake(one, id);
      one.activity.touch(id, 60_000);
    }
    const other = await agents(1);
    const refused = expect(wake(one, ids[2]!)).rejects.toMatchObject({
      code: 'AGENT_UNAVAILABLE',
      details: [{ reason: 'quota_exceeded', quota: 'awake_workspaces', limit: LIMIT, used: LIMIT }],
    });
    await wake(one, other.ids[0]!);
    expect(platform.holders.has(other.ids[0]!)).toBe(true);
    await refused;
    expect([...platform.holders.keys()].sort()).toEqual([ids[0], ids[1], other.ids[0]].sort());
    one.leases.times = { ...one.leases.times, waitMs: 60_000 };
    const waiting = wake(one, ids[2]!);
    await one.workspaces.sleep(ids[0]!);
    await waiting;
    expect(platform.holders.has(ids[2]!)).toBe(true);
  });

  it('has idle ones put to sleep whose next wake waits behind, after another replica was quicker to start them', async () => {
    const { account, ids } = await agents(5);
    const one = replica(new Platform());
    const [first, second, third, ...busy] = ids as [string, string, string, ...string[]];
    for (const id of busy) {
      await wake(one, id);
      one.activity.touch(id, 60_000);
    }
    const wakes = [third, first, second].map((id) => wake(one, id));
    await delay(50);
    await service.rows.transaction(async (tx) => {
      await deleteLeases(tx, busy);
      const idle = [first, second].map((agentId) => ({ agentId, sinceUseMs: 1_000, isReported: true }));
      await renewRunning(tx, idle, await one.leases.now(), 60_000);
    });
    await Promise.all(wakes);
    expect(await awakeOf(account)).toBe(LIMIT);
  });

  it('serves its wakes in the order in which they asked', async () => {
    const { account, ids } = await agents(7);
    const { leases } = replica(new Platform());
    const order: string[] = [];
    const start = async (id: string) => {
      await leases.take({ id, account_id: account }, { idleMs: () => undefined, sleep: () => Promise.resolve() });
      order.push(id);
      await leases.started(id);
    };
    await Promise.all(ids.map(start));
    expect(order).toEqual(ids);
  });

  it('gets back the leases of a killed service: at once when its workspaces are seen asleep, else when the lease ends', async () => {
    const { account, ids } = await agents(4);
    const platform = new Platform();
    const killed = replica(platform);
    await wake(killed, ids[0]!);
    killed.activity.touch(ids[0]!, 600_000);
    await killed.reconciler.reconcile();
    // It began to start this one.
    await killed.leases.take({ id: ids[1]!, account_id: account }, { idleMs: () => 0, sleep: () => Promise.resolve() });
    platform.holders.clear();

    const next = replica(platform);
    next.driver.list = () => Promise.resolve(ids.map((agentId) => ({ agentId, state: 'asleep' as const })));
    await next.reconciler.reconcile();
    expect(await awakeOf(account)).toBe(1);
    await wake(next, ids[2]!);
    next.activity.touch(ids[2]!, 600_000);
    const last = wake(next, ids[3]!);
    expect(await awakeOf(account)).toBe(2);
    await service.rows.query(`UPDATE awake_workspaces SET expires_at = now() WHERE agent_id = $1`, [ids[1]]);
    await last;
    expect(await awakeOf(account)).toBe(2);
  });
});
