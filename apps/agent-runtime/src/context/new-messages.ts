import type { AgentConfiguration, ClaimedTurn } from '#lib/contracts';
import type { ModelMessage, TextPart } from 'ai';
import { fillTemplate } from '#lib/template';

/** Most that a hook's template adds to what the messages themselves say: as much as one message may hold. */
export const MAX_HOOK_CHARACTERS = 100_000;

type Batch = Pick<ClaimedTurn, 'messages' | 'attempt' | 'channel' | 'counterparty'>;

/**
 * The turn's batch as the model gets it: one user message with a part for each text, oldest first, or with one
 * part made by the agent's `channel_message_received` template. Words of the platform are in square brackets.
 */
export function newMessages(
  batch: Batch,
  hooks: AgentConfiguration['hookMessages'] = {},
  isNewSession = false,
  endsSession = false,
): ModelMessage {
  const parts: TextPart[] = hooks.channelMessageReceived
    ? [text(fromTemplate(hooks.channelMessageReceived, batch))]
    : batch.messages.flatMap(asParts);
  if (isNewSession && hooks.sessionStart) parts.unshift(text(hooks.sessionStart));
  // The work of the lost attempt may be half done in the workspace; only the model can look.
  if (batch.attempt > 1)
    parts.unshift(
      text('[An earlier attempt to answer was cut off. Look what is already done before you repeat an action.]'),
    );
  if (endsSession && hooks.sessionEnd) parts.push(text(`[Before you end this session: ${hooks.sessionEnd}]`));
  return { role: 'user', content: parts };
}

function fromTemplate(template: string, { messages, channel, counterparty }: Batch): string {
  const values = new Map([
    ['channel', channel],
    ['sender', counterparty.displayName ?? counterparty.id],
    ['content', messages.map((message) => message.content).join('\n\n')],
    ['count', String(messages.length)],
  ]);
  // What the messages say is never cut where a template has it once; what a template repeats is.
  const most = MAX_HOOK_CHARACTERS + (values.get('content') ?? '').length;
  return fillTemplate(template, (name) => values.get(name), most).text;
}

function asParts({ content, metadata }: ClaimedTurn['messages'][number]): TextPart[] {
  return Object.keys(metadata).length === 0
    ? [text(content)]
    : [text(content), text(`[metadata: ${JSON.stringify(metadata)}]`)];
}

function text(content: string): TextPart {
  return { type: 'text', text: content };
}
