import type { RoostError } from '#lib/contracts';

/** An error as callers see it (spec: 00-overview, "Shapes"). */
export function errorBody(error: RoostError, requestId: string) {
  return {
    success: false as const,
    error: { code: error.code, message: error.message, details: error.details },
    meta: { request_id: requestId, timestamp: new Date().toISOString() },
  };
}
