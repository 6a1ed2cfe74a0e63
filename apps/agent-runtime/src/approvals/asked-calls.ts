import { callHash, canonicalJson } from '#lib/canonical-json';
import {
  DEFAULT_EXPIRY_SECONDS,
  MAX_APPROVAL_BYTES,
  MAX_SUSPENDED_BYTES,
  MAX_SUSPENDED_CALLS,
  type Permissions,
} from '#lib/contracts';
import { newId } from '#lib/database';
import type { PermissionGate } from '../permissions/gate.js';
import type { WaitingCall } from './waiting-call.js';

interface Call {
  toolCallId: string;
  toolName: string;
  input: unknown;
}

/**
 * Which calls of a step a person is asked about, before any of them runs. What cannot be shown to a person is not asked:
 * the gate refuses it to the model.
 */
export class AskedCalls {
  private asked: WaitingCall[] = [];
  private bytes = 0;

  constructor(private readonly gate: PermissionGate) {}

  /** Whether a person is asked about the call; it has then no result when its step has ended. */
  mustAsk({ toolCallId, toolName, input }: Call): boolean {
    const decision = this.gate.decide(toolName, input);
    if (decision.action !== 'ask') return false;
    const { tool, arguments: args, rule } = decision;
    const problem = this.problemOf(args);
    if (problem !== undefined) {
      this.gate.refuse(toolCallId, problem);
      return false;
    }
    const text = canonicalJson(args);
    this.bytes += Buffer.byteLength(text);
    const ask = {
      approvalId: newId(),
      kind: 'tool' as const,
      toolCallId,
      tool,
      arguments: text,
      hash: callHash(tool, args),
      rule,
    };
    this.asked.push({ toolCallId, toolName, input, ask });
    return true;
  }

  /** The calls that wait, once: the next step begins anew. */
  take(): WaitingCall[] {
    const { asked } = this;
    this.asked = [];
    this.bytes = 0;
    return asked;
  }

  private problemOf(args: unknown): string | undefined {
    if (this.asked.length >= MAX_SUSPENDED_CALLS)
      return `a person has to allow it, and is asked about ${MAX_SUSPENDED_CALLS} calls at once at most: make fewer`;
    let bytes: number;
    try {
      bytes = Buffer.byteLength(canonicalJson(args));
    } catch {
      return 'a person has to allow it, and its arguments are nested too deeply to be shown';
    }
    if (bytes > MAX_APPROVAL_BYTES || this.bytes + bytes > MAX_SUSPENDED_BYTES)
      return 'a person has to allow it, and its arguments are too long to be shown: make them shorter';
    return undefined;
  }
}

/** What the agent's permissions say of those who are asked. */
export const askedOf = ({ approvers, expiresAfterSeconds }: Permissions = {}) => ({
  approvers: approvers?.map(({ platform, userId }) => `${platform}:${userId}`) ?? null,
  expiresAfterSeconds: expiresAfterSeconds ?? DEFAULT_EXPIRY_SECONDS,
});
