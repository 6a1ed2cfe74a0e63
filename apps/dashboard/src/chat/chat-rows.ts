import type { Message } from '@roost-ai/sdk';
import type { Turn } from '../events/agent-state.js';
import type { ChatEntry } from '../events/agent-views.js';

export type ChatRow =
  | { kind: 'user'; key: string; message: Message }
  /** What the agent does or did: a turn that was seen, its reply, or both. */
  | { kind: 'agent'; key: string; turn?: Turn; reply?: Message };

/** The lines of a conversation. A turn and its reply are one, so that nothing moves when the reply comes. */
export function chatRows(entries: ChatEntry[]): ChatRow[] {
  const turnOf = new Map<string, Turn>();
  for (const { turn } of entries) for (const id of turn?.messageIds ?? []) if (turn) turnOf.set(id, turn);
  const answered = new Set<string>();
  const rows: ChatRow[] = [];
  for (const { message, turn } of entries) {
    if (message.role === 'user') {
      rows.push({ kind: 'user', key: message.id, message });
      // A turn that is answered stands where its reply does.
      if (turn && turn.status !== 'completed') rows.push({ kind: 'agent', key: `turn-${turn.id}`, turn });
      continue;
    }
    const of = message.reply_to_id === null ? undefined : turnOf.get(message.reply_to_id);
    const isFirst = of !== undefined && !answered.has(of.id);
    if (isFirst) answered.add(of.id);
    rows.push({
      kind: 'agent',
      key: isFirst ? `turn-${of.id}` : message.id,
      reply: message,
      ...(isFirst ? { turn: of } : {}),
    });
  }
  return rows;
}

/** Whether the turn's own pieces say all that the reply does: then they are shown, with the tools where they were called. */
export function saysAll(turn: Turn, reply: Message): boolean {
  if (turn.parts.length === 0) return false;
  const text = turn.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  return squeezed(text) === squeezed(reply.content);
}

const squeezed = (text: string) => text.replaceAll(/\s+/g, '');
