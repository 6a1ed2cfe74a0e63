import { type Permissions, RoostError } from '#lib/contracts';
import { checkPermissions } from '#lib/permissions';

/** What an error names at most. */
const MAX_DETAILS = 20;

/** Refuses what the schema cannot see: patterns that are none, tools that there cannot be. Errors: VALIDATION_ERROR by field. */
export function requireValidPermissions(permissions: Permissions | null | undefined, field: string): void {
  const problems = permissions ? checkPermissions(permissions) : [];
  const [first] = problems;
  if (!first) return;
  const details = problems.slice(0, MAX_DETAILS).map((problem) => ({ ...problem, field: `${field}.${problem.field}` }));
  throw new RoostError('VALIDATION_ERROR', `${field}.${first.field}: ${first.message}`, details);
}
