import { type ChannelAdapter, type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { ChatMoves } from './chat-moves.js';

/** How a part is shown. */
export interface Way {
  place: string;
  isPlain: boolean;
  /** The message that is edited; null: a new one. */
  shownId: string | null;
}

export interface Repairs {
  adapter: ChannelAdapter;
  connection: Connection;
  moves: ChatMoves;
}

/** Shows a part; what a platform refuses is shown another way where there is one, each way tried once. Errors: DeliveryError. */
export async function showRepaired(repairs: Repairs, first: Way, show: (way: Way) => Promise<string>): Promise<string> {
  const tried = new Set<string>();
  let way = { ...first, place: repairs.moves.current(first.place) };
  for (;;) {
    try {
      return await show(way);
    } catch (error) {
      const refusal = error instanceof DeliveryError ? error.refusal : undefined;
      if (refusal === undefined || tried.has(refusal.kind)) throw error;
      tried.add(refusal.kind);
      const other = await repaired(repairs, way, refusal);
      if (!other) throw error;
      way = other;
    }
  }
}

async function repaired(
  { adapter, connection, moves }: Repairs,
  way: Way,
  refusal: NonNullable<DeliveryError['refusal']>,
): Promise<Way | undefined> {
  switch (refusal.kind) {
    case 'markup':
      return { ...way, isPlain: true };
    case 'message':
      return { ...way, shownId: null };
    case 'thread': {
      const known = await connection.withoutThread?.(way.place);
      const chat = known ?? adapter.chatOf(way.place);
      return chat === way.place ? undefined : { ...way, place: chat, shownId: null };
    }
    case 'moved':
      await moves.record(adapter.chatOf(way.place), refusal.to);
      // The new chat numbers its messages anew, and its topics.
      return { ...way, place: moves.current(way.place), shownId: null };
    case 'unreachable':
      return undefined;
  }
}
