import { rotateColumn, Sealer } from '#lib/auth';
import { LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { sealedAnswers } from '../idempotency/idempotency-store.js';
import { sealedSigningKeys } from './tokens.js';

/** Brings what the gateway has sealed under the current master key, once at each start. */
@Injectable()
export class RotateSealed implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private isStopped = false;
  private rotating: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.rotating = this.run().catch((error: unknown) =>
      this.logger.error(
        { err: error },
        'secrets were not brought under the new master key; the next start tries again',
      ),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.rotating;
  }

  private async run(): Promise<void> {
    for (const column of [sealedSigningKeys, sealedAnswers])
      await rotateColumn(this.database, this.sealer, column, () => this.isStopped);
  }
}
