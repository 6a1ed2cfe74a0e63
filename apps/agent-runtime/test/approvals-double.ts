import {
  cancelApprovals,
  type DecidedCall,
  RoostError,
  startApproval,
  type SuspendedCall,
  suspendTurn,
} from '#lib/contracts';
import { serve } from '#lib/rpc';
import { until } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import type { MessagingDouble } from './messaging-double.js';

/** Messaging's approvals as a worker sees them: what it suspends turns for, and the right to run what was allowed. */
export class ApprovalsDouble {
  readonly suspended = new Map<string, SuspendedCall[]>();
  /** The fencing token of the attempt that began a call. */
  readonly startedBy = new Map<string, number>();
  readonly cancelled: string[] = [];
  private readonly allowed = new Map<string, string>();

  constructor(
    connection: NatsConnection,
    private readonly platform: MessagingDouble,
  ) {
    serve(
      connection,
      suspendTurn,
      suspendTurn.subject,
      ({ turnId, calls }) => {
        this.suspended.set(turnId, calls);
        return { suspended: true };
      },
      console.error,
    );
    serve(
      connection,
      startApproval,
      startApproval.subject,
      ({ approvalId, fencingToken, hash }) => {
        const refuse = (reason: string) => new RoostError('CONFLICT', 'it may not', [{ reason }]);
        if (this.allowed.get(approvalId) !== hash) throw refuse('hash_differs');
        if ((this.startedBy.get(approvalId) ?? fencingToken) !== fencingToken) throw refuse('already_started');
        this.startedBy.set(approvalId, fencingToken);
        return { accepted: true };
      },
      console.error,
    );
    serve(
      connection,
      cancelApprovals,
      cancelApprovals.subject,
      ({ agentId }) => {
        this.cancelled.push(agentId);
        return { cancelled: 0 };
      },
      console.error,
    );
  }

  /** The calls that the turn, or another attempt of its run, waits for. */
  async asked(turnId: string): Promise<SuspendedCall[]> {
    return until('the turn is suspended', () => this.suspended.get(turnId));
  }

  /** Gives the turn out again with what a person has decided about its calls, in their order. */
  decide(turnId: string, decisions: Partial<DecidedCall>[], batch: string[] = []): void {
    const calls = this.suspended.get(turnId) ?? [];
    const approvals = calls.map(({ approvalId, toolCallId, hash }, index): DecidedCall => {
      const decided = {
        status: 'allowed' as const,
        hash,
        message: null,
        decidedBy: null,
        editedArguments: null,
        answer: null,
      };
      const decision = { approvalId, toolCallId, ...decided, ...decisions[index] };
      if (decision.status === 'allowed' || decision.status === 'answered') this.allowed.set(approvalId, decision.hash);
      return decision;
    });
    this.suspended.delete(turnId);
    this.platform.giveAgain(turnId, 0, batch, { approvals });
  }
}
