import type { Logger } from '#lib/observability';
import type { ContextSources } from '../context/load-context.js';
import type { RefusedKeysRepository } from '../models/refused-keys.repository.js';
import type { AttemptsRepository } from '../runs/attempts.repository.js';
import type { UnfinishedTurnsRepository } from '../sessions/unfinished-turns.repository.js';
import type { Prices } from '../usage/prices.js';

/** What the turns of a worker are run with. */
export interface TurnRunner extends ContextSources {
  unfinished: UnfinishedTurnsRepository;
  refusedKeys: RefusedKeysRepository;
  attempts: AttemptsRepository;
  prices: Prices;
  logger: Logger;
}
