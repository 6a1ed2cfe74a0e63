import { Consumes } from '#lib/bus';
import { approvalDecided, approvalExpired, approvalRequested } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ApprovalCards } from './cards.service.js';

/** Brings the questions of messaging into chats, and what became of them. */
@Controller()
export class ApprovalsController {
  constructor(private readonly cards: ApprovalCards) {}

  @Consumes(approvalRequested)
  onRequested({ accountId, approval }: z.output<typeof approvalRequested.payload>, tx: Transaction): Promise<void> {
    return this.cards.ask(tx, accountId, approval);
  }

  @Consumes(approvalDecided)
  onDecided({ accountId, approval }: z.output<typeof approvalDecided.payload>, tx: Transaction): Promise<void> {
    return this.cards.close(tx, accountId, approval);
  }

  @Consumes(approvalExpired)
  onExpired({ accountId, approval }: z.output<typeof approvalExpired.payload>, tx: Transaction): Promise<void> {
    return this.cards.close(tx, accountId, approval);
  }
}
