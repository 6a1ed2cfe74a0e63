import {
  completeTurn,
  failTurn,
  interruptedTurn,
  MAX_RETRY_AFTER_MS,
  releaseTurn,
  RoostError,
  suspendTurn,
  type RequestContract,
  type ClaimedTurn,
  type SuspendedCall,
  type Usage,
} from '#lib/contracts';
import type { z } from 'zod';
import type { Bus } from '#lib/bus';
import { patientRequest } from './patient-request.js';
import type { TurnFailure } from './turn-failure.js';

/** The five ways in which a worker gives a turn back. Each is tried for about a minute while messaging is away. */
export class TurnReport {
  constructor(
    private readonly bus: Bus,
    private readonly turn: Pick<ClaimedTurn, 'turnId' | 'fencingToken'>,
  ) {}

  completed(reply: string, usage: Usage) {
    return this.send(completeTurn, { ...this.fence(), replies: [reply], usage });
  }

  async failed({ code, message, retryable, retryAfterMs = 0 }: TurnFailure, partialReply: string) {
    const error = { code, message: message.slice(0, 2_000) };
    const report = { ...this.fence(), error, retryable, partialReply };
    if (!retryable || retryAfterMs <= 0) return this.send(failTurn, report);
    const asked = { ...report, retryAfterMs: Math.ceil(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)) };
    return this.send(failTurn, asked).catch((refusal: unknown) => {
      // While services are replaced: one of the version before does not know how long, and refuses the whole report.
      if (refusal instanceof RoostError && refusal.code === 'VALIDATION_ERROR') return this.send(failTurn, report);
      throw refusal;
    });
  }

  interrupted(partialReply: string, usage: Usage) {
    return this.send(interruptedTurn, { ...this.fence(), partialReply, usage });
  }

  released(reason: { code: string; message: string }) {
    const { code, message } = reason;
    return this.send(releaseTurn, { ...this.fence(), reason: { code, message: message.slice(0, 2_000) } });
  }

  /** `suspended` false: the turn was interrupted meanwhile, and has ended. */
  suspended(
    calls: SuspendedCall[],
    asked: { approvers: string[] | null; expiresAfterSeconds: number },
    partialReply: string,
  ) {
    return this.send(suspendTurn, { ...this.fence(), calls, ...asked, partialReply });
  }

  private fence() {
    return { turnId: this.turn.turnId, fencingToken: this.turn.fencingToken };
  }

  /** Repeating is safe: messaging knows the report again by turn and token. */
  private send<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I> & { turnId: string },
  ): Promise<z.output<O>> {
    return patientRequest(this.bus, contract, input);
  }
}
