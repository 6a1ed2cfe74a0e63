import { RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';
import { allowedWarmthMs } from '../agents/maxima.js';
import type { WorkspaceDriver, WorkspaceStatus } from '../sandboxes/index.js';
import type { WorkspacesService } from './workspaces.service.js';

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
export async function reconcile(database: Database, workspaces: WorkspacesService): Promise<void> {
  const seenAt = await workspaces.leases.now();
  const found = await workspaces.driver.list();
  const rows = await database.query<Wanted>(
    `SELECT id, status, warmth_window_ms, revision FROM agents WHERE id = ANY($1)`,
    [found.map(({ agentId }) => agentId)],
  );
  await renewLeases(workspaces, seenAt, found);
  const agents = new Map(rows.map((row) => [row.id, row]));
  for (const { agentId, state } of found) {
    const agent = agents.get(agentId);
    if (!agent) {
      if (state === 'running') await workspaces.sleep(agentId);
    } else if (state === 'running') await keepOrSleep(workspaces, agent);
    else if (state !== 'starting') await restartIfCrashed(workspaces, agent, state);
  }
  await removeVolumes(database, workspaces);
  await bringPendingFiles(database, workspaces);
}

function renewLeases(workspaces: WorkspacesService, seenAt: Date, found: Awaited<ReturnType<WorkspaceDriver['list']>>) {
  const running = found.filter(({ state }) => state === 'running');
  return workspaces.leases.renew(
    seenAt,
    running.map(({ agentId }) => ({
      agentId,
      sinceUseMs: workspaces.activity.sinceUseMs(agentId) ?? 0,
      isReported: workspaces.activity.hasReported(agentId),
    })),
    found.filter(({ state }) => state === 'asleep' || state === 'failed').map(({ agentId }) => agentId),
    workspaces.starting,
  );
}

async function keepOrSleep(workspaces: WorkspacesService, agent: Wanted): Promise<void> {
  const { id, status } = agent;
  const warmthMs = allowedWarmthMs(agent.warmth_window_ms, workspaces.config);
  if (status === 'stopped') return workspaces.sleep(id);
  const awake = workspaces.awake.get(id);
  if (awake && awake.revision < Number(agent.revision)) await workspaces.catchUp(id);
  const idleMs = workspaces.activity.idleMs(id);
  if (idleMs === undefined) return workspaces.activity.touch(id);
  if (awake?.isStale && idleMs > QUIET_MS) return workspaces.sleep(id);
  // A paused agent's files stay at hand; an agent in error is left as it was.
  if (status === 'active' && warmthMs !== null && idleMs > warmthMs) return workspaces.sleep(id);
  // It crashed, and another replica was asked for it first.
  if (awake?.since === 0) awake.since = Date.now();
  if (awake && Date.now() - awake.since > SETTLED_MS) workspaces.failures.clear(id);
}

async function restartIfCrashed(
  workspaces: WorkspacesService,
  { id, status }: Wanted,
  state: WorkspaceStatus['state'],
): Promise<void> {
  const awake = workspaces.awake.get(id);
  if (!awake || (status !== 'active' && status !== 'paused')) return;
  // What crashed is failed: another replica put this one to sleep, or an operator did.
  if (state === 'asleep') return void workspaces.awake.delete(id);
  if (awake.since > 0) {
    // Seen as crashed for the first time: counted once, then tried again when its wait is over.
    awake.since = 0;
    const found = await workspaces.driver.inspect(id);
    const why = found.state === 'failed' ? found.reason : `it is ${found.state}`;
    await workspaces.failed(id, new RoostError('AGENT_UNAVAILABLE', `the workspace keeps ending: ${why}`));
    return;
  }
  if (!workspaces.failures.mayTry(id)) return;
  workspaces.awake.delete(id);
  workspaces.ensureSoon(id);
}

/** What a crash or a busy disk left of deleted agents. */
async function removeVolumes(database: Database, workspaces: WorkspacesService): Promise<void> {
  const deleted = await database.query<{ agent_id: string }>(
    `SELECT agent_id FROM deleted_agents WHERE volume_removed_at IS NULL ORDER BY deleted_at LIMIT ${BATCH}`,
  );
  for (const { agent_id } of deleted) await workspaces.remove(agent_id);
}

/** Agents whose initial files still wait, e.g. since a restart. */
async function bringPendingFiles(database: Database, workspaces: WorkspacesService): Promise<void> {
  const waiting = await database.query<{ id: string }>(
    `SELECT id FROM agents WHERE status IN ('active', 'paused')
       AND id IN (SELECT agent_id FROM pending_files) ORDER BY created_at LIMIT ${BATCH}`,
  );
  for (const { id } of waiting) if (workspaces.failures.mayTry(id)) workspaces.ensureSoon(id);
}
