import { rotateColumns, Sealer } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { HOURLY, Sweep } from '#lib/sweeps';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { sealedSecrets } from '../agents/agent-secrets.js';
import { sweepDeletedAgents } from '../agents/agents.repository.js';
import { sweepLedger } from '../balance/balance.repository.js';
import type { LifecycleConfig } from '../config.js';
import { sealedProviderKeys } from '../provider-keys/provider-keys.repository.js';
import { sealedVaultColumns } from '../vault/vault.repository.js';
import { Reconciler } from './reconciler.js';
import { sealedAuthority } from './stored-authority.js';

/** Keeps the tables bounded and the secrets under one master key. */
@Injectable()
export class Maintenance {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

  @Sweep('lifecycle.maintenance', { ...HOURLY, atStart: true })
  async run(signal: AbortSignal): Promise<void> {
    await sweepLedger(this.database, signal);
    await sweepDeletedAgents(this.database, signal);
    // Every secret comes under the current master key, so that a replaced one can be thrown away.
    const columns = [sealedSecrets, sealedProviderKeys, sealedAuthority, ...sealedVaultColumns];
    await rotateColumns(this.database, this.sealer, columns, () => signal.aborted);
  }
}

/** Reconciles again and again, one round at a time: a pause follows each round, however long it took. */
@Injectable()
export class ReconcileLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(
    private readonly reconciler: Reconciler,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.reconciler.start();
    this.next(0);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.round;
    await this.reconciler.stop();
  }

  private next(delayMs: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.round = this.reconciler
        .reconcile()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'a reconcile round failed; the next one follows'))
        .finally(() => this.next(this.config.ROOST_RECONCILE_MS));
    }, delayMs);
  }
}
