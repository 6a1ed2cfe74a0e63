import { type Core, dataOf, idOf } from '../core.js';
import { approvalsAnswer, approvalsDecide, approvalsGet, approvalsList } from '../generated/sdk.gen.js';
import type {
  ApprovalsAnswerData,
  ApprovalsDecideData,
  ApprovalsGetResponses,
  ApprovalsListData,
} from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type Approval = ApprovalsGetResponses[200];
export type ApprovalQuery = Omit<NonNullable<ApprovalsListData['query']>, 'before' | 'limit'>;
export type ApprovalDecision = ApprovalsDecideData['body'];
export type ApprovalAnswer = ApprovalsAnswerData['body'];

/** Calls of tools that people are asked about before they run, and questions to people. */
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

  /**
   * Answers a question (`kind` is `question`): `{ answer }` as it asks for, or `{ text }` as somebody typed it. The first
   * answer counts. Errors: ValidationError for what was not asked for, ConflictError for a later one.
   */
  answer(id: string, answer: ApprovalAnswer, options?: CallOptions): Promise<Approval> {
    return dataOf(approvalsAnswer({ ...this.call(id, options), body: answer }));
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'an approval') } };
  }
}
