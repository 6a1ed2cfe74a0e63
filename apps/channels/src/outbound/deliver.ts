import { deliveryFailed } from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';
import type { Tracer } from '#lib/tracing';
import type { Content } from '#lib/workspace-client';
import type { ChannelAdapter, Connection, DeliveryError } from '../adapters/channel-adapter.js';
import { markUnreachable, type UnreachableChat } from '../bindings/bindings.repository.js';
import type { Lease } from '../connections/leases.repository.js';
import type { ChatMoves } from './chat-moves.js';
import {
  type Claimed,
  type DeliveryOutcome,
  hasOtherFailure,
  type Lane,
  type Part,
  recordOutcome,
  resolveSending,
} from './deliveries.repository.js';
import { showCard } from '../approvals/show-card.js';
import { showRepaired, type Way } from './repair.js';
import { sendFile } from './send-file.js';

/** What a session delivers with. */
export interface Outlet {
  database: Database;
  content: Content;
  lease: Lease;
  adapter: ChannelAdapter;
  connection: Connection;
  moves: ChatMoves;
  tracer: Tracer;
  /** Something that cannot be shown, or may not have been. */
  onFailure(failure: Failure): void;
}

/** Something that is not shown, and will not be; or that may have been shown or not. */
export interface Failure extends UnreachableChat {
  deliveryId: string;
  turnId: string;
  /** The agent's messages that this was to show. */
  replyIds: string[];
  /** It is the chat, not this message: recorded in the bindings. */
  isUnreachable: boolean;
}

/** The chat of a place, where it is now. */
export function currentChat({ adapter, moves }: Outlet, place: string): string {
  return adapter.chatOf(moves.current(place));
}

/** Shows a claimed part; returns which message it is. Errors: DeliveryError, and those of our own side. */
export function show(outlet: Outlet, claimed: Claimed): Promise<string> {
  const first = { place: claimed.place, isPlain: false, shownId: claimed.message_id ?? claimed.asked_id };
  const { platform } = outlet.adapter;
  const options = {
    kind: 'client',
    parent: claimed.traceparent ?? undefined,
    attributes: {
      'messaging.system': platform,
      'roost.agent.id': claimed.agent_id,
      'roost.attempt': claimed.attempts,
      'roost.is_file': claimed.file_path !== null,
    },
  } as const;
  return outlet.tracer.span(`send ${platform}`, options, () =>
    showRepaired(outlet, first, (way) => showOnce(outlet, claimed, way)),
  );
}

async function showOnce(outlet: Outlet, claimed: Claimed, { place, isPlain, shownId }: Way): Promise<string> {
  const { content, adapter, connection } = outlet;
  const { id, account_id: accountId, agent_id: agentId, body } = claimed;
  const key = { key: `delivery-${id}`, isRepeat: claimed.attempts > 1, since: claimed.created_at, isPlain };
  if (claimed.card) return showCard(connection, { ...claimed, card: claimed.card }, { place, isPlain, shownId }, key);
  if (claimed.file_path !== null) {
    return sendFile(content, adapter, connection, { accountId, agentId, place, path: claimed.file_path }, key);
  }
  const messageId = shownId ?? (await connection.send(place, body, key));
  // An earlier try may have shown what was written so far.
  if (shownId !== null || (key.isRepeat && adapter.isIdempotent)) {
    await connection.edit(place, messageId, body, isPlain);
  }
  return messageId;
}

/** Records what became of a part; what is not surely shown is reported in the same transaction. Repeated it changes nothing. */
export async function finish(
  outlet: Outlet,
  claimed: Claimed,
  outcome: DeliveryOutcome,
  error?: DeliveryError,
): Promise<void> {
  const { database, lease } = outlet;
  if (outcome.state === 'done') {
    await recordOutcome(database, claimed.id, lease, outcome);
    return;
  }
  const kind = error?.refusal?.kind;
  const failure = await database.transaction(async (tx) => {
    const state = await recordOutcome(tx, claimed.id, lease, outcome);
    if (state !== 'failed' && state !== 'uncertain') return undefined;
    const reason = outcome.reason ?? 'unknown';
    return recordFailure(tx, {
      ...failureOf(outlet, claimed, state === 'uncertain' ? maybeShown(reason) : reason),
      isUnreachable: kind === 'unreachable' || kind === 'thread',
    });
  });
  if (failure) outlet.onFailure(failure);
}

/** Resolves what nobody is sending any more, and reports what may have been shown. To be called while the lane sends nothing. */
export async function resolveInterrupted(outlet: Outlet, lane: Lane, isRepeatable: boolean): Promise<void> {
  const failures = await outlet.database.transaction(async (tx) => {
    const uncertain = await resolveSending(tx, outlet.lease, lane, isRepeatable);
    const recorded: Failure[] = [];
    for (const part of uncertain)
      recorded.push(await recordFailure(tx, failureOf(outlet, part, maybeShown('the connection was lost'))));
    return recorded;
  });
  for (const failure of failures) outlet.onFailure(failure);
}

export const maybeShown = (reason: string) => `it may have been shown or not: ${reason}`;

function failureOf(outlet: Outlet, part: Part, reason: string): Failure {
  const { lease, adapter } = outlet;
  return {
    ...{ accountId: part.account_id, agentId: part.agent_id, deliveryId: part.id },
    ...{ turnId: part.turn_id, replyIds: part.reply_ids, platform: lease.platform, botId: lease.botId },
    ...{ chat: currentChat(outlet, part.place), isGroup: adapter.isGroup(part.place), isUnreachable: false, reason },
  };
}

async function recordFailure(tx: Transaction, failure: Failure): Promise<Failure> {
  if (failure.isUnreachable) await markUnreachable(tx, failure);
  await reportFailure(tx, failure);
  return failure;
}

type Reported = Pick<Failure, 'accountId' | 'agentId' | 'deliveryId' | 'turnId' | 'replyIds' | 'platform' | 'reason'>;

/** Once for each reply, however many of its parts fail. */
export async function reportFailure(tx: Transaction, failure: Reported): Promise<void> {
  const { accountId, agentId, deliveryId, turnId, replyIds, platform, reason } = failure;
  const isKnown = await hasOtherFailure(tx, turnId, deliveryId);
  if (replyIds.length > 0 && !isKnown) {
    const event = { accountId, agentId, platform, messageIds: replyIds, reason, occurredAt: new Date() };
    await tx.outbox(deliveryFailed, event, agentId);
  }
}
