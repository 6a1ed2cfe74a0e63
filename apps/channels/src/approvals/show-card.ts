import { Readable } from 'node:stream';
import type { Connection, SendKey } from '../adapters/channel-adapter.js';
import type { Way } from '../outbound/repair.js';
import { buttonsOf } from './card-text.js';
import { answerButtons } from './question-text.js';
import type { Card } from './cards.repository.js';

/**
 * Shows a question with its buttons, the file of its arguments, or, in the place of a question, what was decided.
 * Nothing where the question was deleted meanwhile. Errors: DeliveryError.
 */
export async function showCard(
  connection: Connection,
  { card, body }: { card: Card; body: string },
  { place, isPlain, shownId }: Way,
  key: SendKey,
): Promise<string> {
  switch (card.kind) {
    case 'file': {
      const bytes = Buffer.from(body);
      const file = {
        name: card.labels ? 'question.txt' : 'arguments.txt',
        sizeBytes: bytes.length,
        bytes: Readable.from([bytes]),
      };
      return connection.sendFile(place, file, key);
    }
    case 'ask': {
      const { approvalId, labels } = card;
      const buttons = labels ? answerButtons(approvalId, labels) : buttonsOf(approvalId);
      return connection.send(place, body, { ...key, buttons });
    }
    case 'result':
      if (shownId !== null) await connection.edit(place, shownId, body, isPlain, true);
      return shownId ?? '';
  }
}
