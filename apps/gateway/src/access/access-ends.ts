import { type ErrorCode, RoostError } from '#lib/contracts';

/** Why what was let in may not go on, and what its caller gets to know. */
export const ACCESS_ENDS = {
  credential_revoked: ['UNAUTHORIZED', 'The API key was revoked, or the sign-in ended.'],
  agents_disabled: ['FEATURE_DISABLED', 'AI agents are no longer enabled for this account: ask the operator.'],
  account_deleted: ['UNAUTHORIZED', 'The account was deleted.'],
  agent_deleted: ['NOT_FOUND', 'there is no such agent'],
} satisfies Record<string, [ErrorCode, string]>;
export type AccessEnd = keyof typeof ACCESS_ENDS;

export function errorOf(end: AccessEnd): RoostError {
  const [code, message] = ACCESS_ENDS[end];
  return new RoostError(code, message);
}
