import { inTurn } from '#lib/call-context';
import type { ClaimedTurn, Usage } from '#lib/contracts';
import type { Span, Tracer } from '#lib/tracing';

/**
 * Runs a turn in a span of the trace of its first message; those of the others are linked. Log lines in it name the run.
 * A turn whose messages belong to no trace, as those of a version before, begins one.
 */
export function inTurnSpan(
  tracer: Tracer,
  { turnId, agentId, accountId, conversationId, messages, traceparents = [], attempt }: ClaimedTurn,
  run: (span: Span | undefined) => Promise<void>,
): Promise<void> {
  const [parent, ...links] = traceparents;
  const options = {
    kind: 'consumer',
    parent,
    links,
    beginsTrace: true,
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.id': agentId,
      'gen_ai.conversation.id': conversationId,
      'roost.account.id': accountId,
      'roost.run.id': turnId,
      'roost.attempt': attempt,
      'roost.batch.size': messages.length,
    },
  } as const;
  return inTurn(turnId, () => tracer.span('invoke_agent', options, run));
}

export function spanUsage(span: Span | undefined, { inputTokens, outputTokens }: Usage): void {
  span?.set({ 'gen_ai.usage.input_tokens': inputTokens, 'gen_ai.usage.output_tokens': outputTokens });
}
