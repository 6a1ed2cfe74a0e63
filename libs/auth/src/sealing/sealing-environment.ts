import { secret } from '#lib/config';
import { z } from 'zod';
import { keyringOf } from './keyring.js';
import { Sealer } from './sealer.js';

/** What a service that keeps secrets needs; both also as `…_FILE`. */
export const sealingEnvironment = {
  /** 32 random bytes in base64. Losing it loses every secret. */
  ROOST_MASTER_KEY: secret(z.string().min(1)),
  /** Keys it replaced, separated by commas: they still open what has not been rotated yet. */
  ROOST_PREVIOUS_MASTER_KEYS: secret(z.string()).optional(),
};

export function sealerFrom(config: {
  ROOST_MASTER_KEY: string;
  ROOST_PREVIOUS_MASTER_KEYS?: string | undefined;
}): Sealer {
  const previous = config.ROOST_PREVIOUS_MASTER_KEYS?.split(',').filter((key) => key.trim() !== '') ?? [];
  return new Sealer(keyringOf(config.ROOST_MASTER_KEY, previous));
}
