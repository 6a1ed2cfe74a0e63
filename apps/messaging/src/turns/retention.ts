import { CONFIG } from '#lib/bus';
import { Database } from '#lib/database';
import { EVERY_MINUTE, Sweep } from '#lib/sweeps';
import { Inject, Injectable } from '@nestjs/common';
import { sweepDeletedAgents } from '../agents/agents.repository.js';
import { sweepApprovals } from '../approvals/approvals.repository.js';
import { sweepBlocks } from '../budgets/budgets.repository.js';
import type { MessagingConfig } from '../config.js';
import { sweepEndedTurns } from './turns.repository.js';

/** Bounds what is kept of ended turns and decided approvals, of deleted agents, and of budgets that are not exhausted. */
@Injectable()
export class Retention {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: MessagingConfig,
  ) {}

  @Sweep('messaging.retention', { ...EVERY_MINUTE, atStart: true })
  async sweep(signal?: AbortSignal): Promise<void> {
    await sweepEndedTurns(this.database, this.config.ROOST_RUN_DAYS, signal);
    await sweepDeletedAgents(this.database, signal);
    await sweepBlocks(this.database, signal);
    await sweepApprovals(this.database, this.config.ROOST_RUN_DAYS, signal);
  }
}
