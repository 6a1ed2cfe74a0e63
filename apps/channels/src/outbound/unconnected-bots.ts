import { LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { EVERY_MINUTE, Sweep } from '#lib/sweeps';
import { Inject, Injectable } from '@nestjs/common';
import { maybeShown, reportFailure } from './deliver.js';
import { BotsService } from '../connections/bots.service.js';
import { giveUpUnconnected, isAnyUnconnected } from './deliveries.repository.js';

/** Of one round: each is a transaction of its own. */
const MAX_PARTS = 1_000;
const REASON = 'the bot is not connected any more';

/** Reports what waits for a bot that nobody connects: no session does, and retention would remove it unsaid. */
@Injectable()
export class UnconnectedBots {
  constructor(
    private readonly database: Database,
    private readonly bots: BotsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Sweep('channels.unconnected', EVERY_MINUTE)
  async sweep(signal?: AbortSignal): Promise<void> {
    if (!(await isAnyUnconnected(this.database))) return;
    // After a start there is no lease yet of bots that there are.
    await this.bots.refresh();
    const connected = this.bots.all().map(({ adapter, botId }) => `${adapter.platform}:${botId}`);
    for (let parts = 0; parts < MAX_PARTS && !signal?.aborted; parts += 1) {
      if (!(await this.giveUpNext(connected))) return;
    }
  }

  private async giveUpNext(connected: string[]): Promise<boolean> {
    const failure = await this.database.transaction(async (tx) => {
      const part = await giveUpUnconnected(tx, connected, REASON);
      if (!part) return undefined;
      const { account_id: accountId, agent_id: agentId, platform, state } = part;
      const reason = state === 'uncertain' ? maybeShown(REASON) : REASON;
      const about = { accountId, agentId, platform, replyIds: part.reply_ids, reason };
      await reportFailure(tx, { ...about, deliveryId: part.id, turnId: part.turn_id });
      return about;
    });
    if (failure) this.logger.warn(failure, 'a reply could not be shown in a chat');
    return failure !== undefined;
  }
}
