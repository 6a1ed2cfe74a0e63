import { Bus, LOGGER } from '#lib/bus';
import type { Logger } from '#lib/observability';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { Subscription } from '@nats-io/transport-node';
import { z } from 'zod';
import type { PlannedOperation } from '../agents/agent-files.js';
import type { AgentRow } from '../agents/agent-row.js';
import { findAnyAgent } from '../agents/agents.repository.js';
import { VaultChanges } from '../vault/vault-changes.js';
import { WorkspaceFiles } from './workspace-files.js';
import { WorkspaceLauncher } from './workspace-launcher.js';

/** Informs every replica that an agent's sandbox may have to change. A hint: reconciliation finds it too. */
const SANDBOX_CHANGED = 'lifecycle.sandbox.changed';
const Changed = z.object({ agent_id: z.uuid() });

/** What the update of an agent changes in its workspace, whichever replica started that. */
@Injectable()
export class WorkspaceUpdates {
  private hints: Subscription | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
    private readonly launcher: WorkspaceLauncher,
    private readonly files: WorkspaceFiles,
    private readonly vault: VaultChanges,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Subscribes to the changes that other replicas were asked for. */
  start(): void {
    this.hints = this.bus.connection.subscribe(SANDBOX_CHANGED, {
      callback: (error, message) => {
        const changed = error ? undefined : Changed.safeParse(message.json()).data;
        if (changed) this.catchUpSoon(changed.agent_id);
      },
    });
  }

  stop(): void {
    if (this.hints && !this.hints.isClosed()) this.hints.unsubscribe();
  }

  /** Makes a changed configuration count in every replica: the network at once, the rest when the workspace is quiet. */
  async apply(agent: AgentRow): Promise<void> {
    // Before anything that may fail: after a revocation no request may carry what was revoked.
    this.vault.emit(agent.id);
    this.bus.signal(SANDBOX_CHANGED, { agent_id: agent.id });
    await this.launcher.update(agent);
  }

  /** As `WorkspaceFiles.apply`. */
  applyFiles(agentId: string, operations: readonly PlannedOperation[]): Promise<() => Promise<void>> {
    return this.files.apply(agentId, operations);
  }

  /** Applies what another replica changed. */
  async catchUp(agentId: string): Promise<void> {
    this.vault.emit(agentId);
    if (!this.launcher.awake.has(agentId)) return;
    const agent = await findAnyAgent(this.database, agentId);
    if (agent) await this.launcher.update(agent);
  }

  private catchUpSoon(agentId: string): void {
    this.catchUp(agentId).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a change was not applied; the next round does it'),
    );
  }
}
