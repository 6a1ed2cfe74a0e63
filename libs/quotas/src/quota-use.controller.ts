import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { type QUOTA_COUNTERS, type QuotaName, quotaUse } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller, type Type } from '@nestjs/common';

/** How a service counts what of a quota an account uses: by an index, for it costs what the account has. */
export type QuotaCounters = Partial<Record<QuotaName, (database: Database, accountId: string) => Promise<number>>>;

/** Makes the controller that answers `<service>.quota.use`; `service` is the first token of its subjects. */
export function quotaUseController(service: (typeof QUOTA_COUNTERS)[number], counters: QuotaCounters): Type {
  @Controller()
  class QuotaUseHandlers {
    constructor(private readonly database: Database) {}

    @Handles(quotaUse(service))
    async use(_input: object, context: CallContext): Promise<{ used: Record<string, number> }> {
      const accountId = accountOf(context);
      const counted = await Promise.all(
        Object.entries(counters).map(async ([name, count]) => [name, await count(this.database, accountId)] as const),
      );
      return { used: Object.fromEntries(counted) };
    }
  }
  return QuotaUseHandlers;
}
