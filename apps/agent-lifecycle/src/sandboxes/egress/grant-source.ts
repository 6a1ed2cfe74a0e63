import type { EgressGrant, EgressRequest, EgressUse, EgressVerdict } from '#lib/contracts';

/** Where the egress process's grants come from, and where their uses go. */
export interface GrantSource {
  /** All of an agent that are not revoked. */
  grantsOf(agentId: string): Promise<EgressGrant[]>;
  /**
   * A token of a `dynamic` credential.
   * Errors: whatever; its message is read by the agent, so that it may hold nothing secret.
   */
  tokenFor(grantId: string): Promise<{ token: string; expiresAt: Date }>;
  /** Of a grant that asks: whether this one request may carry it now; that it may is said once. */
  mayUse(grantId: string, request: EgressRequest): Promise<EgressVerdict>;
  /** How long a request waits for a person's decision before it is refused. */
  askHoldMs: number;
  used(uses: EgressUse[]): Promise<void>;
  /** Calls `listener` when an agent's grants, or a secret of one, changed: at once in this process, within 1 s from others. */
  onChanged(listener: (agentId: string) => void): void;
}

/** For drivers without a vault. */
export const noGrants: GrantSource = {
  grantsOf: () => Promise.resolve([]),
  tokenFor: () => Promise.reject(new Error('there is no such grant')),
  mayUse: () => Promise.resolve({ isAllowed: false, reason: 'there is no such grant' }),
  askHoldMs: 0,
  used: () => Promise.resolve(),
  onChanged: () => undefined,
};
