import type { ErrorDetail, RoostError } from '#lib/contracts';

/** An error as callers see it (spec: 00-overview, "Shapes"). */
export class ErrorBody {
  readonly success = false;
  readonly error: { code: RoostError['code']; message: string; details: readonly ErrorDetail[] };
  readonly meta: { request_id: string; timestamp: string };

  constructor({ code, message, details }: RoostError, requestId: string) {
    this.error = { code, message, details };
    this.meta = { request_id: requestId, timestamp: new Date().toISOString() };
  }
}
