import type { Logger } from '#lib/observability';
import { type Queries, rotateColumn, type SealedColumn } from './rotate-column.js';
import type { Sealer } from './sealer.js';

/** A provider that brings columns under the current master key once at each start, while the service works. */
export class RotationAtStart {
  private isStopped = false;
  private rotating: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Queries,
    private readonly sealer: Sealer,
    private readonly columns: readonly SealedColumn[],
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.rotating = this.run().catch((error: unknown) =>
      this.logger.error({ err: error }, 'secrets are not all under the new master key; the next start tries again'),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.rotating;
  }

  private async run(): Promise<void> {
    let count = 0;
    for (const column of this.columns)
      count += await rotateColumn(this.database, this.sealer, column, () => this.isStopped);
    if (count > 0) this.logger.info({ count }, 'secrets were brought under the new master key');
  }
}
