import { RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';
import { allowedWarmthMs } from '../agents/maxima.js';
import type { WorkspaceDriver, WorkspaceStatus } from '../workspaces/index.js';
import type { WorkspaceKeeper } from './workspace-keeper.js';

/** A workspace that ran this long is well again: what failed before counts no more. */
const SETTLED_MS = 60_000;
/** So long after the last request a workspace may be restarted for a changed configuration. */
const QUIET_MS = 5_000;
const BATCH = 20;

type Wanted = Pick<AgentRow, 'id' | 'status' | 'warmth_window_ms' | 'revision'>;

/**
 * Makes the world match the rows, once: stopped and idle workspaces sleep, crashed ones come back with backoff,
 * volumes of deleted agents go, those of agents that nobody knows are put to sleep but kept.
 */
export async function reconcile(database: Database, keeper: WorkspaceKeeper): Promise<void> {
  const seenAt = await keeper.leases.now();
  const found = await keeper.driver.list();
  const rows = await database.query<Wanted>(
    `SELECT id, status, warmth_window_ms, revision FROM agents WHERE id = ANY($1)`,
    [found.map(({ agentId }) => agentId)],
  );
  await renewLeases(keeper, seenAt, found);
  const agents = new Map(rows.map((row) => [row.id, row]));
  for (const { agentId, state } of found) {
    const agent = agents.get(agentId);
    if (!agent) {
      if (state === 'running') await keeper.sleep(agentId);
    } else if (state === 'running') await keepOrSleep(keeper, agent);
    else if (state !== 'starting') await restartIfCrashed(keeper, agent, state);
  }
  await removeVolumes(database, keeper);
  await bringPendingFiles(database, keeper);
}

function renewLeases(keeper: WorkspaceKeeper, seenAt: Date, found: Awaited<ReturnType<WorkspaceDriver['list']>>) {
  const running = found.filter(({ state }) => state === 'running');
  return keeper.leases.renew(
    seenAt,
    running.map(({ agentId }) => ({
      agentId,
      sinceUseMs: keeper.activity.sinceUseMs(agentId) ?? 0,
      isReported: keeper.activity.hasReported(agentId),
    })),
    found.filter(({ state }) => state === 'asleep' || state === 'failed').map(({ agentId }) => agentId),
    keeper.starting,
  );
}

async function keepOrSleep(keeper: WorkspaceKeeper, agent: Wanted): Promise<void> {
  const { id, status } = agent;
  const warmthMs = allowedWarmthMs(agent.warmth_window_ms, keeper.config);
  if (status === 'stopped') return keeper.sleep(id);
  const awake = keeper.awake.get(id);
  if (awake && awake.revision < Number(agent.revision)) await keeper.catchUp(id);
  const idleMs = keeper.activity.idleMs(id);
  if (idleMs === undefined) return keeper.activity.touch(id);
  if (awake?.isStale && idleMs > QUIET_MS) return keeper.sleep(id);
  // A paused agent's files stay at hand; an agent in error is left as it was.
  if (status === 'active' && warmthMs !== null && idleMs > warmthMs) return keeper.sleep(id);
  // It crashed, and another replica was asked for it first.
  if (awake?.since === 0) awake.since = Date.now();
  if (awake && Date.now() - awake.since > SETTLED_MS) keeper.failures.clear(id);
}

async function restartIfCrashed(
  keeper: WorkspaceKeeper,
  { id, status }: Wanted,
  state: WorkspaceStatus['state'],
): Promise<void> {
  const awake = keeper.awake.get(id);
  if (!awake || (status !== 'active' && status !== 'paused')) return;
  // What crashed is failed: another replica put this one to sleep, or an operator did.
  if (state === 'asleep') return void keeper.awake.delete(id);
  if (awake.since > 0) {
    // Seen as crashed for the first time: counted once, then tried again when its wait is over.
    awake.since = 0;
    const found = await keeper.driver.inspect(id);
    const why = found.state === 'failed' ? found.reason : `it is ${found.state}`;
    await keeper.failed(id, new RoostError('AGENT_UNAVAILABLE', `the workspace keeps ending: ${why}`));
    return;
  }
  if (!keeper.failures.mayTry(id)) return;
  keeper.awake.delete(id);
  keeper.ensureSoon(id);
}

/** What a crash or a busy disk left of deleted agents. */
async function removeVolumes(database: Database, keeper: WorkspaceKeeper): Promise<void> {
  const deleted = await database.query<{ agent_id: string }>(
    `SELECT agent_id FROM deleted_agents WHERE volume_removed_at IS NULL ORDER BY deleted_at LIMIT ${BATCH}`,
  );
  for (const { agent_id } of deleted) await keeper.remove(agent_id);
}

/** Agents whose initial files still wait, e.g. since a restart. */
async function bringPendingFiles(database: Database, keeper: WorkspaceKeeper): Promise<void> {
  const waiting = await database.query<{ id: string }>(
    `SELECT id FROM agents WHERE status IN ('active', 'paused')
       AND id IN (SELECT agent_id FROM pending_files) ORDER BY created_at LIMIT ${BATCH}`,
  );
  for (const { id } of waiting) if (keeper.failures.mayTry(id)) keeper.ensureSoon(id);
}
