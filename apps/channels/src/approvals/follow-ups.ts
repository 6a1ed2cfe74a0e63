import { Bus, LOGGER } from '#lib/bus';
import { type Approval, approvalShown, getApproval, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Sweep } from '#lib/sweeps';
import { Inject, Injectable } from '@nestjs/common';
import { conversationIdOf } from '../bindings/conversation-id.js';
import { markFollowedUp, questionsToFollowUp } from './cards.repository.js';
import { ApprovalCards, callFor } from './cards.service.js';

type Question = Awaited<ReturnType<typeof questionsToFollowUp>>[number];

const EVERY_SECOND = { cron: '* * * * * *', jitterMs: 500 };
const BATCH = 50;

/**
 * What follows from a question that was shown: messaging learns where. One that could not be shown is asked at the next
 * place. What was decided before it was shown takes its place at once. From rows, so that it happens after a crash, too.
 */
@Injectable()
export class ApprovalFollowUps {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly cards: ApprovalCards,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Sweep('channels.approvals', EVERY_SECOND)
  async sweep(): Promise<void> {
    for (const question of await questionsToFollowUp(this.database, BATCH))
      // One that fails must not keep those of other accounts waiting: it is tried again with the next sweep.
      await this.followUp(question).catch((err: unknown) =>
        this.logger.warn(
          { err, approvalId: question.card.approvalId },
          'an approval shown in a chat is not followed up',
        ),
      );
  }

  private async followUp(question: Question): Promise<void> {
    const { account_id: accountId, card, state } = question;
    const approval = await this.report(question);
    await this.database.transaction(async (tx) => {
      if (approval && approval.status !== 'pending') await this.cards.close(tx, accountId, approval);
      else if (approval && state === 'failed') await this.cards.ask(tx, accountId, approval, card.route + 1);
      await markFollowedUp(tx, question.id);
    });
  }

  /** The approval as it is now; undefined when it is gone. */
  private async report(question: Question): Promise<Approval | undefined> {
    const { account_id: accountId, state, card } = question;
    const { approvalId } = card;
    try {
      if (state === 'failed') return await this.bus.request(getApproval, { approvalId }, callFor(accountId));
      return await this.bus.request(
        approvalShown,
        { approvalId, where: conversationIdOf(question).slice(0, 300) },
        callFor(accountId),
      );
    } catch (error) {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }
}
