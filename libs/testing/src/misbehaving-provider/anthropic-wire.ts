import { argsText, DEFAULT_USAGE, type Frame, pieces, reasonOf, type ScriptedAnswer } from './answer.js';
import { checkAnthropic } from './anthropic-rules.js';
import { asList, freshId, type Json, type JsonObject, type Refused, sse, textOf, type Wire } from './wire.js';

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', filter: 'refusal' };

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

const bodyOf = ({ status, code, message }: Refused): JsonObject => ({
  type: 'error',
  error: { type: code ?? TYPES[status] ?? 'api_error', message },
  request_id: freshId('req_'),
});

export const anthropicWire: Wire = {
  name: 'anthropic',
  check: checkAnthropic,
  read(body) {
    const blocks = asList(body['messages']).flatMap(({ role, content }) =>
      (typeof content === 'string' ? [{ type: 'text', text: content }] : asList(content)).map((block) => ({
        role,
        ...(block as JsonObject),
      })),
    ) as JsonObject[];
    return {
      userTexts: blocks.filter(({ role, type }) => role === 'user' && type === 'text').map(({ text }) => textOf(text)),
      toolNames: asList(body['tools']).map(({ name }) => textOf(name)),
      toolResults: blocks
        .filter(({ type }) => type === 'tool_result')
        .map(({ tool_use_id: id, content }) => ({ id: textOf(id), text: resultText(content) })),
    };
  },
  errorBody: bodyOf,
  errorEvent: (refused) => sse(bodyOf(refused), 'error'),
  *frames(answer) {
    const { input, output } = answer.usage ?? DEFAULT_USAGE;
    const send = (type: string, rest: JsonObject) => sse({ type, ...rest }, type);
    yield {
      part: 'start',
      counts: { input, output: 1 },
      text:
        send('message_start', {
          message: {
            id: freshId('msg_'),
            type: 'message',
            role: 'assistant',
            model: 'claude-odd',
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: input, output_tokens: 1 },
          },
        }) + send('ping', {}),
    };
    yield* blocks(answer, send);
    yield {
      part: 'end',
      counts: { input, output },
      text:
        send('message_delta', {
          delta: {
            stop_reason: reasonOf(answer, STOP_REASONS),
            stop_sequence: null,
            ...(answer.explanation ? { stop_details: { type: 'refusal', explanation: answer.explanation } } : {}),
          },
          usage: { output_tokens: output },
        }) + send('message_stop', {}),
    };
  },
};

function* blocks(
  { reasoning, text, calls = [] }: ScriptedAnswer,
  send: (type: string, rest: JsonObject) => string,
): Generator<Frame> {
  let index = 0;
  const delta = (value: JsonObject) => send('content_block_delta', { index, delta: value });
  const start = (block: JsonObject) => send('content_block_start', { index, content_block: block });
  const stop = () => send('content_block_stop', { index: index++ });
  if (reasoning !== undefined) {
    yield { part: 'start', text: start({ type: 'thinking', thinking: '', signature: '' }) };
    yield { part: 'start', text: delta({ type: 'thinking_delta', thinking: reasoning }) };
    yield { part: 'start', text: delta({ type: 'signature_delta', signature: freshId('sig') }) + stop() };
  }
  if (text !== undefined) {
    yield { part: 'start', text: start({ type: 'text', text: '' }) };
    for (const piece of pieces(text)) yield { part: 'text', text: delta({ type: 'text_delta', text: piece }) };
    yield { part: 'text', text: stop() };
  }
  for (const call of calls) {
    const block = { type: 'tool_use', id: call.id ?? freshId('toolu_'), name: call.name, input: {} };
    yield { part: 'call', text: start(block) };
    for (const piece of pieces(argsText(call)))
      yield { part: 'call', text: delta({ type: 'input_json_delta', partial_json: piece }) };
    yield { part: 'call', text: stop() };
  }
}

function resultText(content: Json | undefined): string {
  return typeof content === 'string'
    ? content
    : asList(content)
        .map(({ type, text }) => (type === 'text' ? textOf(text) : `(${textOf(type)})`))
        .join('\n');
}
