import {
  automationReturned,
  automationStarted,
  messageCompleted,
  messageFailed,
  turnInterrupted,
} from '#lib/contracts';
import { Consumes } from '#lib/bus';
import type { Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { closeExecutions, returnExecutions, startExecutions } from './outcomes.repository.js';

/** Records what became of the turn that an execution's message got. */
@Controller()
export class ExecutionsController {
  @Consumes(automationStarted)
  async onStarted({ messageIds, fencingToken }: z.output<typeof automationStarted.payload>, tx: Transaction) {
    await startExecutions(tx, messageIds, fencingToken);
  }

  @Consumes(automationReturned)
  async onReturned({ messageIds, fencingToken }: z.output<typeof automationReturned.payload>, tx: Transaction) {
    await returnExecutions(tx, messageIds, fencingToken);
  }

  @Consumes(messageCompleted, ({ messages }) => automated(messages).length > 0)
  async onCompleted({ messages }: z.output<typeof messageCompleted.payload>, tx: Transaction) {
    await closeExecutions(tx, automated(messages), 'completed', null);
  }

  @Consumes(messageFailed, ({ messages }) => automated(messages).length > 0)
  async onFailed({ messages, error }: z.output<typeof messageFailed.payload>, tx: Transaction) {
    await closeExecutions(tx, automated(messages), 'failed', `${error.code}: ${error.message}`);
  }

  @Consumes(turnInterrupted)
  async onInterrupted({ messageIds }: z.output<typeof turnInterrupted.payload>, tx: Transaction) {
    await closeExecutions(tx, messageIds, 'failed', 'the turn was interrupted');
  }
}

function automated(messages: { id: string; channel: string }[]): string[] {
  return messages.filter(({ channel }) => channel === 'schedule' || channel === 'trigger').map(({ id }) => id);
}
