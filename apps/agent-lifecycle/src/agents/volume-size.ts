import { quantityBytes, RoostError } from '#lib/contracts';
import type { LifecycleConfig } from '../config.js';

type Bounds = Pick<LifecycleConfig, 'ROOST_MIN_VOLUME' | 'ROOST_MAX_VOLUME'>;

/** Errors: VALIDATION_ERROR for a size out of bounds, or smaller than `atLeast`: a volume only grows. */
export function checkVolumeSize(size: string, bounds: Bounds, atLeast?: string): void {
  const bytes = quantityBytes(size) ?? 0;
  const { ROOST_MIN_VOLUME: min, ROOST_MAX_VOLUME: max } = bounds;
  if (bytes < (quantityBytes(min) ?? 0) || bytes > (quantityBytes(max) ?? 0))
    throw invalid('out_of_bounds', `must be between ${min} and ${max}`, { minimum: min, maximum: max });
  if (atLeast !== undefined && bytes < (quantityBytes(atLeast) ?? 0))
    throw invalid('shrinks', `must be at least ${atLeast}: a volume cannot shrink`);
}

function invalid(reason: string, message: string, bounds: object = {}): RoostError {
  return new RoostError('VALIDATION_ERROR', `pvc_size: ${message}`, [
    { field: 'pvc_size', reason, message, ...bounds },
  ]);
}
