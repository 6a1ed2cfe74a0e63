import type { z } from 'zod';

/** The message of an issue about a field that is not there. */
export const REQUIRED = 'is required';

/**
 * For parsing what comes from outside: has an issue say that a field is not there. Zod's issues carry no input, which
 * keeps secrets out of errors, and nothing else in them distinguishes a missing field from one of another type.
 */
export const PARSE_CONTEXT: z.core.ParseContext<z.core.$ZodIssue> = {
  error: ({ code, input }) => (code === 'invalid_type' && input === undefined ? REQUIRED : undefined),
};
