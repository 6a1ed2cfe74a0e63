import { type Core, dataOf, idOf } from '../core.js';
import { approvalsDecide, approvalsGet, approvalsList } from '../generated/sdk.gen.js';
import type { ApprovalsDecideData, ApprovalsGetResponses, ApprovalsListData } from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type Approval = ApprovalsGetResponses[200];
export type ApprovalQuery = Omit<NonNullable<ApprovalsListData['query']>, 'before' | 'limit'>;
export type ApprovalDecision = ApprovalsDecideData['body'];

/** Calls of tools that people are asked about before they run. */
export class Approvals {
  constructor(private readonly core: Core) {}

  /** The newest first. Those with `status: 'pending'` wait for a decision. Long arguments are left out: `get` has them. */
  list(query: ApprovalQuery = {}, options?: CallOptions): Listing<Approval> {
    return Listing.of<Approval, string>(async (before) => {
      const sent = { ...query, limit: 100, ...(before === undefined ? {} : { before }) };
      const answer = await dataOf(approvalsList({ ...this.core.by(options), query: sent }));
      return { items: answer.approvals, next: answer.has_more ? answer.approvals.at(-1)?.id : undefined };
    });
  }

  /** With its whole arguments, as JSON text. */
  get(id: string, options?: CallOptions): Promise<Approval> {
    return dataOf(approvalsGet(this.call(id, options)));
  }

  /**
   * The first decision counts. Errors: ConflictError for a later one; its `details` say who has decided and when.
   */
  decide(id: string, decision: ApprovalDecision, options?: CallOptions): Promise<Approval> {
    return dataOf(approvalsDecide({ ...this.call(id, options), body: decision }));
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'an approval') } };
  }
}
