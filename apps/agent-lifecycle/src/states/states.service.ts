import { recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import { WAKE_RUNTIME } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { type AgentKey, type AgentRow, stateOf } from '../agents/agent-row.js';
import { OtherServices } from '../agents/other-services.js';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import { StatusChanges } from './status-changes.js';
import type { Action } from './transitions.js';

/** As the audit names them. */
const AUDITED: Record<Action, string> = {
  pause: 'agent.paused',
  resume: 'agent.resumed',
  stop: 'agent.stopped',
  'set-active': 'agent.activated',
  'set-paused': 'agent.paused',
  'set-stopped': 'agent.stopped',
  fail: 'agent.failed',
};

@Injectable()
export class StatesService {
  constructor(
    private readonly database: Database,
    private readonly changes: StatusChanges,
    private readonly workspaces: WorkspacesService,
    private readonly others: OtherServices,
    private readonly bus: Bus,
  ) {}

  /** Carries out an action, and what follows from it. Errors: as `StatusChanges.apply`. */
  async act(key: AgentKey, action: Action): Promise<AgentRow> {
    const { agent, hasChanged } = await this.database.transaction(async (tx) => {
      const change = await this.changes.apply(tx, key, action);
      if (change.hasChanged)
        await recordAudit(tx, { action: AUDITED[action], target: { type: 'agent', id: change.agent.id } });
      return change;
    });
    if (hasChanged) {
      // Messaging cancels the running turn of an agent that is stopped, and offers the waiting ones of an active one.
      await this.others.syncMessagingState(stateOf(agent));
      this.workspaces.forgetFailures(agent.id);
      if (agent.status === 'stopped') this.workspaces.sleepSoon(agent.id);
      if (agent.status === 'active') this.bus.signal(WAKE_RUNTIME);
      if (action === 'set-paused') this.workspaces.ensureSoon(agent.id);
    }
    return agent;
  }
}
