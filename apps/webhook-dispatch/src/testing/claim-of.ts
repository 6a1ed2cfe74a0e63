import type { ClaimRequest } from '../deliveries/claim-deliveries.js';

/** What a worker that holds nothing claims. */
export function claimOf(room: number): ClaimRequest {
  const all = { of: new Map<string, number>(), default: room };
  return { endpoints: all, accounts: all, after: '00000000-0000-0000-0000-000000000000' };
}
