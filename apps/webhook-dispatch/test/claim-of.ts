import type { ClaimRequest } from '../src/deliveries/claims.repository.js';

/** What a worker that holds nothing claims. */
export function claimOf(capacity: number): ClaimRequest {
  const all = { of: new Map<string, number>(), default: capacity };
  return { endpoints: all, accounts: all, after: '00000000-0000-0000-0000-000000000000' };
}
