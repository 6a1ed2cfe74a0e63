import { deleteOldAudit, listAuditRecords } from '#lib/audit';
import { Bus, CONFIG } from '#lib/bus';
import { currentCall, ownCall } from '#lib/call-context';
import { AUDITED_SERVICES, type AuditRecord, listAudit, type listAllAudit, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { EVERY_TEN_MINUTES, inBatches, Sweep, SWEEP_BATCH } from '#lib/sweeps';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AccountAdmin } from '../accounts/admin/account-admin.js';

const LIST_MS = 5_000;

type Filters = Omit<z.output<typeof listAllAudit.input>, 'account'>;
type Found = { micros: string; record: AuditRecord };
export interface AuditPage {
  records: AuditRecord[];
  nextCursor: string | null;
}

/**
 * The records of all services, newest first. Each service keeps those of its own changes, so that they are committed
 * together; here they are merged by time. Errors: SERVICE_UNAVAILABLE when one is away, since a list with a hole would
 * look whole.
 */
@Injectable()
export class Audit {
  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
    private readonly admin: AccountAdmin,
    @Inject(CONFIG) private readonly config: { ROOST_AUDIT_RETENTION_DAYS: number },
  ) {}

  /** The account's own. Errors: VALIDATION_ERROR for a cursor that is none. */
  ofAccount(accountId: string, filters: Filters): Promise<AuditPage> {
    return this.list(accountId, filters);
  }

  /** Everybody's, or those of one account, by its email, id or name. Errors: NOT_FOUND. */
  async ofOperator(account: string | undefined, filters: Filters): Promise<AuditPage> {
    return this.list(account === undefined ? null : (await this.admin.find(account)).accountId, filters);
  }

  @Sweep('gateway.audit', EVERY_TEN_MINUTES)
  sweep(signal?: AbortSignal): Promise<void> {
    const days = this.config.ROOST_AUDIT_RETENTION_DAYS;
    return inBatches(() => deleteOldAudit(this.database, days, SWEEP_BATCH), signal);
  }

  private async list(accountId: string | null, { cursor, limit, ...filters }: Filters): Promise<AuditPage> {
    const before = cursor === undefined ? null : fromCursor(cursor);
    // One more than is shown, to know whether there is a next page.
    const query = { ...filters, accountId, before, limit: limit + 1 };
    const call = { ...(currentCall() ?? ownCall('req_audit', LIST_MS)), accountId };
    const found = await Promise.all(
      AUDITED_SERVICES.map(async (service): Promise<Found[]> => {
        if (service === 'gateway') return listAuditRecords(this.database, query);
        return (await this.bus.request(listAudit(service), query, call)).records;
      }),
    );
    const merged = found.flat().sort(newestFirst);
    const page = merged.slice(0, limit);
    const last = page.at(-1);
    return {
      records: page.map(({ record }) => record),
      nextCursor: last && merged.length > limit ? toCursor(last) : null,
    };
  }
}

function newestFirst(a: Found, b: Found): number {
  const [one, other] = [BigInt(a.micros), BigInt(b.micros)];
  if (one !== other) return one > other ? -1 : 1;
  return a.record.id > b.record.id ? -1 : 1;
}

const toCursor = ({ micros, record }: Found) => Buffer.from(`${micros}.${record.id}`).toString('base64url');

function fromCursor(cursor: string): { micros: string; id: string } {
  const [micros, id] = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  const parsed = z.object({ micros: z.string().regex(/^\d{1,18}$/), id: z.uuid() }).safeParse({ micros, id });
  if (parsed.success) return parsed.data;
  throw new RoostError('VALIDATION_ERROR', 'cursor: must be the next_cursor of the page before', [
    { field: 'cursor', reason: 'invalid' },
  ]);
}
