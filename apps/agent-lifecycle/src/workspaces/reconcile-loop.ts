import { rotateColumn, Sealer } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { sealedSecrets } from '../agents/agent-secrets.js';
import type { LifecycleConfig } from '../config.js';
import { sealedProviderKeys } from '../provider-keys/account-provider-keys.js';
import { reconcile } from './reconcile.js';
import { WorkspacesService } from './workspaces.service.js';

const BATCH = 500;
const SWEEP_MS = 3_600_000;

/** Runs `reconcile` again and again, and with it what keeps the tables bounded and the secrets under one master key. */
@Injectable()
export class ReconcileLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private isStopped = false;
  private sweptAt = 0;

  constructor(
    private readonly database: Database,
    private readonly workspaces: WorkspacesService,
    private readonly sealer: Sealer,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.workspaces.start();
    this.next(0);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.round;
    this.workspaces.stop();
    await this.workspaces.driver.close();
  }

  private next(delayMs: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.round = this.run()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'a reconcile round failed; the next one follows'))
        .finally(() => this.next(this.config.ROOST_RECONCILE_MS));
    }, delayMs);
  }

  private async run(): Promise<void> {
    await reconcile(this.database, this.workspaces);
    if (Date.now() - this.sweptAt < SWEEP_MS) return;
    await this.rotate();
    await this.sweep();
    this.sweptAt = Date.now();
  }

  /** Brings every secret under the current master key, so that a replaced one can be thrown away. */
  private async rotate(): Promise<void> {
    for (const column of [sealedSecrets, sealedProviderKeys])
      await rotateColumn(this.database, this.sealer, column, () => this.isStopped);
  }

  /** Steps are repeated within minutes, accounts are settled within months. */
  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM balance_ledger WHERE id IN (
         SELECT id FROM balance_ledger WHERE created_at < now() - interval '90 days' LIMIT ${BATCH * 10})`,
    );
    await this.database.query(
      `DELETE FROM deleted_agents WHERE deleted_at < now() - interval '30 days' AND volume_removed_at IS NOT NULL`,
    );
  }
}
