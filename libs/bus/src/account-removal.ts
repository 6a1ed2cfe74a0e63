import { apart, type Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';

/** A request of the account may still be under way when it is deleted, for as long as a request's deadline and more. */
const LATE_WITHIN = '10 minutes';
/** Longer than an event is ever delivered again. */
const RETENTION = '8 days';
const SWEEP_MS = 15_000;
const BATCH = 100;

/**
 * Removes what a service keeps of deleted accounts, in small transactions: whatever is killed in between goes on where
 * it was. For some minutes it looks again for what came late. A service deletes what is the account's in `removeSome`.
 */
export abstract class AccountRemoval implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private isStopped = false;

  constructor(
    protected readonly database: Database,
    protected readonly logger: Logger,
  ) {}

  /** Removes a bounded part of what the account owns here. Gives whether there may be more. */
  protected abstract removeSome(tx: Transaction, accountId: string): Promise<boolean>;

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.runSoon(), SWEEP_MS).unref();
    this.runSoon();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.working;
  }

  /** Writes down that the account is to be removed, in the transaction of the event. */
  protected async begin(tx: Transaction, accountId: string): Promise<void> {
    await tx.query(`INSERT INTO deleted_accounts (account_id) VALUES ($1) ON CONFLICT DO NOTHING`, [accountId]);
    tx.afterCommit(() => this.runSoon());
  }

  private runSoon(): void {
    this.working ??= this.removeAll()
      .catch((error: unknown) => this.logger.warn({ err: error }, 'a deleted account is not removed yet; tried again'))
      .finally(() => (this.working = undefined));
  }

  private async removeAll(): Promise<void> {
    const accounts = await this.database.query<{ account_id: string }>(
      `SELECT account_id FROM deleted_accounts
        WHERE removed_at IS NULL OR deleted_at > now() - $1::interval ORDER BY deleted_at LIMIT $2`,
      [LATE_WITHIN, BATCH],
    );
    for (const { account_id: accountId } of accounts) {
      await apart(
        () => this.remove(accountId),
        (error) => this.logger.error({ err: error, accountId }, 'a deleted account cannot be removed; tried again'),
      );
      if (this.isStopped) return;
    }
    await this.database.query(
      `DELETE FROM deleted_accounts WHERE removed_at IS NOT NULL AND deleted_at < now() - $1::interval`,
      [RETENTION],
    );
  }

  private async remove(accountId: string): Promise<void> {
    while (!this.isStopped && (await this.database.transaction((tx) => this.removeSome(tx, accountId))));
    if (this.isStopped) return;
    await this.database.query(
      `UPDATE deleted_accounts SET removed_at = now() WHERE account_id = $1 AND removed_at IS NULL`,
      [accountId],
    );
  }
}
