import { recordAudit } from '#lib/audit';
import { Bus, CONFIG } from '#lib/bus';
import { currentCall, ownCall } from '#lib/call-context';
import {
  type AccountQuota,
  QUOTA_COUNTERS,
  QUOTA_NAMES,
  type QuotaAmounts,
  type QuotaName,
  quotaUse,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { limitsForAll } from '#lib/quotas';
import { Inject, Injectable } from '@nestjs/common';
import type { GatewayConfig } from '../../config.js';
import { countKeys } from '../api-keys.repository.js';
import { EventStreams } from '../../events/event-streams.js';
import { ownLimits, setOwnLimit } from './account-quotas.repository.js';

/** What accounts may pile up and how much of it they have. The limits are the gateway's, the counts each service's own. */
@Injectable()
export class AccountQuotas {
  private readonly forAll: Record<QuotaName, number>;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly streams: EventStreams,
    @Inject(CONFIG) config: GatewayConfig,
  ) {
    this.forAll = limitsForAll(config);
  }

  /** The account's own limits where it has some, else those for all. */
  async limitsOf(accountId: string): Promise<Record<QuotaName, number>> {
    return { ...this.forAll, ...(await ownLimits(this.database, accountId)) };
  }

  /** Null: as for all. */
  async set(accountId: string, quota: QuotaName, limit: number | null): Promise<void> {
    await this.database.transaction(async (tx) => {
      await setOwnLimit(tx, accountId, { quota, limit });
      await recordAudit(tx, { action: 'quota.set', target: { type: 'quota', id: quota }, accountId });
    });
  }

  /** Every quota with its limit and use: one request per service, all at once. */
  async report(accountId: string): Promise<AccountQuota[]> {
    const call = currentCall() ?? ownCall('req_quota_report', 5_000);
    const ask = (service: string): Promise<QuotaAmounts> =>
      this.bus.request(quotaUse(service), {}, { ...call, accountId }).then(
        ({ used }) => used as QuotaAmounts,
        // Shown as null: one service that is away hides nothing of the others.
        () => ({}),
      );
    const [limits, ours, ...theirs] = await Promise.all([
      this.limitsOf(accountId),
      this.ownUse(accountId),
      ...QUOTA_COUNTERS.map(ask),
    ]);
    const used: QuotaAmounts = Object.assign({}, ours, ...theirs);
    return QUOTA_NAMES.map((name) => ({ name, limit: limits[name], used: used[name] ?? null }));
  }

  private async ownUse(accountId: string): Promise<QuotaAmounts> {
    return {
      api_keys: await countKeys(this.database, accountId),
      event_streams: this.streams.openOf(accountId),
    };
  }
}
