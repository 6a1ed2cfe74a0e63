import { type ChannelAdapter, type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { RoomMoves } from './room-moves.js';

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
  moves: RoomMoves;
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
      const room = known ?? adapter.roomOf(way.place);
      return room === way.place ? undefined : { ...way, place: room, shownId: null };
    }
    case 'moved':
      await moves.record(adapter.roomOf(way.place), refusal.room);
      // The new room numbers its messages anew, and its topics.
      return { ...way, place: moves.current(way.place), shownId: null };
    case 'unreachable':
      return undefined;
  }
}
