import { recordAudit } from '#lib/audit';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { AccountLimits, requireQuota } from '#lib/quotas';
import { Injectable } from '@nestjs/common';
import { createHash, randomInt } from 'node:crypto';
import type { InboundMessage } from '../adapters/channel-adapter.js';
import { addBinding, type BotKey, countBindings, deleteBindingsOfPerson } from '../bindings/bindings.repository.js';
import { deleteTries, type LinkTarget, mayTry, storeCode, takeCode } from './link-codes.repository.js';

/** Without 0, O, 1 and I, which people mistake for each other. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** `silent`: this sender guesses; nothing is answered for ten minutes. `replaced`: was linked to another agent here. */
export type Redeemed =
  { outcome: 'linked'; agentName: string; replaced: boolean } | { outcome: 'refused' } | { outcome: 'silent' };

/** Links people with agents by one-time codes. */
@Injectable()
export class LinkCodesService {
  constructor(
    private readonly database: Database,
    private readonly limits: AccountLimits,
  ) {}

  /** A new code, good once and for ten minutes; an earlier one of this agent and platform is void. */
  async create(target: LinkTarget): Promise<{ code: string; expiresAt: Date }> {
    // Two agents with the same code at once would hand one person to the other: the hash is unique, try another.
    for (let attempt = 0; attempt < 5; attempt++) {
      const code = Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
      const stored = await this.database.transaction(async (tx) => {
        const row = await storeCode(tx, target, hashCode(code));
        if (row) await recordAudit(tx, { action: 'link_code.created', target: { type: 'agent', id: target.agentId } });
        return row;
      });
      if (stored) return { code, ...stored };
    }
    throw new RoostError('SERVICE_UNAVAILABLE', 'no free code was found; try again');
  }

  /**
   * Links the sender with the agent whose code this is. The newest link of a person with a bot wins. Errors:
   * QUOTA_EXCEEDED; the code stays good.
   */
  redeem(bot: BotKey, { sender }: InboundMessage, chat: string, code: string): Promise<Redeemed> {
    return this.database.transaction<Redeemed>(async (tx) => {
      if (!(await mayTry(tx, bot.platform, sender.id))) return { outcome: 'silent' };
      const target = await takeCode(tx, bot, hashCode(code));
      if (!target) return { outcome: 'refused' };
      const accountId = target.account_id;
      const before = await deleteBindingsOfPerson(tx, bot, sender.id);
      const count = () => countBindings(tx, accountId);
      const limit = await this.limits.of(accountId, 'channel_bindings');
      await requireQuota(tx, { accountId, quota: 'channel_bindings', limit, count });
      await addBinding(tx, bot, target, { ...sender, chat });
      await deleteTries(tx, bot.platform, sender.id);
      await recordAudit(tx, {
        action: 'channel.linked',
        target: { type: 'agent', id: target.agent_id },
        accountId,
        actor: { type: 'person', id: `${bot.platform}:${sender.id}` },
      });
      const replaced = before.some((agentId) => agentId !== target.agent_id);
      return { outcome: 'linked', agentName: target.agent_name, replaced };
    });
  }
}

function hashCode(code: string): string {
  return createHash('sha256').update(code.trim().toUpperCase()).digest('hex');
}
