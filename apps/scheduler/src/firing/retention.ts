import { Database } from '#lib/database';
import { HOURLY, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { sweepDeletedAgents } from '../agents/agents.repository.js';
import { sweepExecutions } from '../executions/executions.repository.js';
import { sweepEarlyOutcomes } from '../executions/outcomes.repository.js';
import { sweepReplacedSecrets } from '../triggers/triggers.repository.js';

/** Removes what nobody will ask for: old executions and outcomes, tombstones of agents, replaced secrets. */
@Injectable()
export class Retention {
  constructor(private readonly database: Database) {}

  @Sweep('scheduler.retention', { ...HOURLY, atStart: true })
  async sweep(signal?: AbortSignal): Promise<void> {
    await sweepExecutions(this.database, signal);
    await sweepEarlyOutcomes(this.database);
    await sweepDeletedAgents(this.database, signal);
    await sweepReplacedSecrets(this.database);
  }
}
