import { CONFIG, Handles } from '#lib/bus';
import { type CallContext } from '#lib/call-context';
import { type AuditedService, listAudit, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { EVERY_TEN_MINUTES, inBatches, Sweep, SWEEP_BATCH } from '#lib/sweeps';
import { Controller, Inject, type Type } from '@nestjs/common';
import type { z } from 'zod';
import { deleteOldAudit, listAuditRecords } from './audit.repository.js';

/** A sweep deletes at most so many, so that it holds no locks for long. */

/** Makes the controller that answers `<service>.audit.list` and deletes what is older than the retention. */
export function auditController(service: AuditedService): Type {
  @Controller()
  class AuditController {
    constructor(
      private readonly database: Database,
      @Inject(CONFIG) private readonly config: { ROOST_AUDIT_RETENTION_DAYS: number },
    ) {}

    @Handles(listAudit(service))
    async list(query: z.output<ReturnType<typeof listAudit>['input']>, context: CallContext) {
      // Whoever asks for an account sees that account's; only the gateway, for the operator, asks for none.
      if (context.accountId && context.accountId !== query.accountId)
        throw new RoostError('ACCESS_DENIED', 'these are the records of another account');
      return { records: await listAuditRecords(this.database, query) };
    }

    @Sweep(`${service}.audit`, EVERY_TEN_MINUTES)
    sweep(signal?: AbortSignal): Promise<void> {
      const days = this.config.ROOST_AUDIT_RETENTION_DAYS;
      return inBatches(() => deleteOldAudit(this.database, days, SWEEP_BATCH), signal);
    }
  }
  return AuditController;
}
