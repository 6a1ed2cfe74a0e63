import { callHash, canonicalJson } from '#lib/canonical-json';
import {
  ASK_HUMAN,
  DEFAULT_EXPIRY_SECONDS,
  MAX_APPROVAL_BYTES,
  MAX_SUSPENDED_BYTES,
  MAX_SUSPENDED_CALLS,
  type Permissions,
  type Question,
  type SuspendedCall,
} from '#lib/contracts';
import { newId } from '#lib/database';
import { readQuestion } from '#lib/questions';
import type { PermissionGate } from '../permissions/gate.js';
import type { CallQuestions } from './call-questions.js';
import type { WaitingCall } from './waiting-call.js';

interface Call {
  toolCallId: string;
  toolName: string;
  input: unknown;
}

/**
 * Which calls of a step a person is asked about, before any of them runs, and those that ask a person while they run. What
 * cannot be shown to a person is not asked: the gate refuses it to the model.
 */
export class AskedCalls {
  private asked: WaitingCall[] = [];
  private bytes = 0;

  constructor(
    private readonly gate: PermissionGate,
    private readonly questions: CallQuestions,
  ) {}

  /** Whether a person is asked about the call; it has then no result when its step has ended. */
  mustAsk(call: Call): boolean {
    const decision = this.gate.decide(call.toolName, call.input);
    if (call.toolName === ASK_HUMAN && decision.action !== 'deny') return this.mustAnswer(call);
    if (decision.action !== 'ask') return false;
    const { tool, arguments: args, rule } = decision;
    const problem = this.problemOf(args);
    if (problem !== undefined) {
      this.gate.refuse(call.toolCallId, `a person has to allow it, and ${problem}`);
      return false;
    }
    const ask = { kind: 'tool' as const, tool, arguments: canonicalJson(args), hash: callHash(tool, args), rule };
    this.add(call, { approvalId: newId(), toolCallId: call.toolCallId, ...ask });
    return true;
  }

  /** The calls that wait, once: the next step begins anew. `calls`: those of the step. */
  take(calls: Call[]): WaitingCall[] {
    for (const call of calls) {
      const question = this.questions.questionOf(call.toolCallId);
      if (!question || this.asked.some(({ toolCallId }) => toolCallId === call.toolCallId)) continue;
      const { tool, arguments: args } = this.gate.decide(call.toolName, call.input);
      this.asked.push({ ...call, arguments: canonicalJson(args), ask: questionAsked(call.toolCallId, tool, question) });
    }
    const { asked } = this;
    this.asked = [];
    this.bytes = 0;
    return asked;
  }

  private mustAnswer(call: Call): boolean {
    const question = readQuestion(call.input);
    const problem =
      this.gate.unattendedProblem ?? ('problem' in question ? question.problem : this.problemOf(question));
    if (problem !== undefined || 'problem' in question) {
      this.gate.refuse(call.toolCallId, `the question cannot be asked: ${problem}`);
      return false;
    }
    this.add(call, questionAsked(call.toolCallId, ASK_HUMAN, question));
    return true;
  }

  private add({ toolCallId, toolName, input }: Call, ask: SuspendedCall): void {
    this.bytes += Buffer.byteLength(ask.arguments);
    this.asked.push({ toolCallId, toolName, input, ask });
  }

  private problemOf(args: unknown): string | undefined {
    if (this.asked.length >= MAX_SUSPENDED_CALLS)
      return `is asked about ${MAX_SUSPENDED_CALLS} calls at once at most: make fewer`;
    let bytes: number;
    try {
      bytes = Buffer.byteLength(canonicalJson(args));
    } catch {
      return 'its arguments are nested too deeply to be shown';
    }
    if (bytes > MAX_APPROVAL_BYTES || this.bytes + bytes > MAX_SUSPENDED_BYTES)
      return 'its arguments are too long to be shown: make them shorter';
    return undefined;
  }
}

/** A question as it is shown: with the tool that asks, and all that belongs to it. */
export function questionAsked(toolCallId: string, tool: string, question: Question): SuspendedCall {
  const hash = callHash(tool, question);
  return {
    approvalId: newId(),
    kind: 'question',
    toolCallId,
    tool,
    arguments: canonicalJson(question),
    hash,
    rule: null,
  };
}

/** What the agent's permissions say of those who are asked. */
export const askedOf = ({ approvers, expiresAfterSeconds }: Permissions = {}) => ({
  approvers: approvers?.map(({ platform, userId }) => `${platform}:${userId}`) ?? null,
  expiresAfterSeconds: expiresAfterSeconds ?? DEFAULT_EXPIRY_SECONDS,
});
