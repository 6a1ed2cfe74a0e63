import { AccountRemoval, Consumes, LOGGER } from '#lib/bus';
import { accountRemoved } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import { deleteSomeMcpServers } from './agents.repository.js';

const BATCH = 100;

/** What is an account's and no agent's: its MCP servers, with their secrets and who may use them. */
@Injectable()
export class RuntimeAccountRemoval extends AccountRemoval {
  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    super(database, logger);
  }

  @Consumes(accountRemoved)
  async onDeleted({ accountId }: { accountId: string }, tx: Transaction): Promise<void> {
    await this.begin(tx, accountId);
  }

  protected async removeSome(tx: Transaction, accountId: string): Promise<boolean> {
    return (await deleteSomeMcpServers(tx, accountId, BATCH)) === BATCH;
  }
}
