import { type ErrorDetail, REQUIRED, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { ZodError } from 'zod';

/**
 * Zod's issues as the API's VALIDATION_ERROR: `field: what is wrong`, one detail per cause. Parse with `PARSE_CONTEXT`,
 * or a missing field counts as one of a wrong type.
 */
export function validationError(error: ZodError | z.core.$ZodError, prefix = ''): RoostError {
  const details = error.issues.flatMap((issue) => detailsOf(issue, prefix));
  const first = details[0];
  const message = first
    ? `${first.field ? `${first.field}: ` : ''}${String(first['message'])}`
    : 'the request is not valid';
  const rest = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  return new RoostError('VALIDATION_ERROR', message + rest, details);
}

/**
 * Runs a check of what is to be asked. What does not fit there came from whoever made us ask: it is theirs to mend, as
 * when the service that is asked finds it. Errors: VALIDATION_ERROR.
 */
export function fitting<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof ZodError ? validationError(error) : error;
  }
}

function detailsOf(issue: z.core.$ZodIssue, prefix: string): ErrorDetail[] {
  const path = [prefix, ...issue.path.map(String)].filter(Boolean).join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        field: [path, key].filter(Boolean).join('.'),
        reason: 'unknown_field',
        message: 'is not a known field',
      }));
    case 'too_big':
      return [
        {
          field: path,
          reason: 'too_long',
          max: Number(issue.maximum),
          message: describeSize(issue.origin, `at most ${issue.maximum}`),
        },
      ];
    case 'too_small':
      return [
        {
          field: path,
          reason: 'too_short',
          min: Number(issue.minimum),
          message: describeSize(issue.origin, `at least ${issue.minimum}`),
        },
      ];
    case 'invalid_type':
      return [{ field: path, reason: isMissing(issue) ? 'required' : 'wrong_type', message: describeType(issue) }];
    case 'invalid_value':
      return [
        {
          field: path,
          reason: 'not_allowed',
          allowed: issue.values,
          message: `must be one of ${issue.values.map(String).join(', ')}`,
        },
      ];
    case 'invalid_union': {
      const branch = issue.errors.reduce<z.core.$ZodIssue[] | undefined>(
        (best, branchIssues) => (!best || branchIssues.length < best.length ? branchIssues : best),
        undefined,
      );
      return branch
        ? branch.flatMap((inner) => detailsOf(inner, path))
        : [{ field: path, reason: 'invalid', message: issue.message }];
    }
    default:
      return [{ field: path, reason: issue.code, message: issue.message }];
  }
}

function describeType(issue: z.core.$ZodIssueInvalidType): string {
  return isMissing(issue) ? REQUIRED : `must be ${article(issue.expected)}`;
}

function isMissing(issue: z.core.$ZodIssueInvalidType): boolean {
  return issue.message === REQUIRED;
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function describeSize(origin: string, bound: string): string {
  if (origin === 'string') return `must be ${bound} characters long`;
  if (origin === 'array' || origin === 'set' || origin === 'map') return `must have ${bound} entries`;
  return `must be ${bound}`;
}
