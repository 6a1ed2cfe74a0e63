import type { AgentEvent, Roost } from '../src/index.js';

/** What one conversation did wrong, as its reader saw it. */
export interface Outcome {
  reply: string;
  faults: string[];
}

/**
 * One message and its stream, checked as it comes: the events of its life once each and in order, every delta of the
 * turn that ended, and together the text that was stored.
 */
export async function converse(roost: Roost, agentId: string, content: string, name: string): Promise<Outcome> {
  const faults: string[] = [];
  const seen = new Map<AgentEvent['type'], number>();
  const ids = new Set<string>();
  const attempts: number[] = [];
  let text = '';
  let lastSeq = -1;
  let turn = '';
  let reply = '';
  for await (const event of roost.agent(agentId).stream(content, { conversation_id: name })) {
    seen.set(event.type, (seen.get(event.type) ?? 0) + 1);
    // What a lost connection took of the text is given from the stored reply, without an id.
    if (event.id === undefined && !['text.delta', 'turn.restarted'].includes(event.type))
      faults.push(`${event.type} without an id`);
    else if (event.id !== undefined && ids.has(event.id)) faults.push(`${event.type} twice: ${event.id}`);
    else if (event.id !== undefined) ids.add(event.id);
    if (event.type === 'turn.started') {
      turn = event.data.turn_id;
      attempts.push(event.data.attempt);
      text = '';
      lastSeq = -1;
    } else if (event.type === 'turn.restarted') {
      text = '';
      lastSeq = event.data.seq;
    } else if (event.type === 'text.delta') {
      if (event.data.turn_id !== turn) faults.push('a delta before the start of its turn');
      // Texts that are replayed come as one, with the last one's number.
      if (event.data.seq <= lastSeq) faults.push(`delta ${event.data.seq} after ${lastSeq}`);
      lastSeq = event.data.seq;
      text += event.data.text;
    } else if (event.type === 'message.completed') reply = event.data.replies.map((one) => one.content).join('\n\n');
  }
  for (const type of ['message.created', 'message.completed'] as const)
    if (seen.get(type) !== 1) faults.push(`${type}: ${seen.get(type) ?? 0} times`);
  // A turn that lost its worker is tried again, and takes the message up again.
  if (attempts.some((attempt, n) => attempt <= (attempts[n - 1] ?? 0))) faults.push(`attempts ${attempts.join(', ')}`);
  if (attempts.length === 0 || seen.get('message.delivered') !== attempts.length)
    faults.push(`message.delivered: ${seen.get('message.delivered') ?? 0} times in ${attempts.length} attempts`);
  if (text !== reply) faults.push(`the deltas say ${JSON.stringify(text)}, the reply ${JSON.stringify(reply)}`);
  return { reply, faults: faults.map((fault) => `${name}: ${fault}`) };
}
