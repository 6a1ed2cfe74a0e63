import { argsText, DEFAULT_USAGE, pieces, reasonOf, type ScriptedAnswer } from './answer.js';
import { checkOpenAiChat } from './openai-chat-rules.js';
import { asList, freshId, isObject, type Json, type JsonObject, type Refused, sse, textOf, type Wire } from './wire.js';

const FINISH = { stop: 'stop', length: 'length', calls: 'tool_calls', filter: 'content_filter' };

const TYPES: Record<number, string> = { 400: 'invalid_request_error', 401: 'invalid_request_error', 429: 'requests' };

export const openAiError = ({ status, code, message }: Refused): JsonObject => ({
  error: {
    message,
    type: code ?? TYPES[status] ?? 'server_error',
    param: null,
    code: code ?? (status === 401 ? 'invalid_api_key' : null),
  },
});

export const openAiChatWire: Wire = {
  name: 'openai-chat',
  check: checkOpenAiChat,
  read(body) {
    const messages = asList(body['messages']);
    return {
      userTexts: messages.filter(({ role }) => role === 'user').map(({ content }) => partsText(content)),
      toolNames: asList(body['tools']).map(({ function: declared }) =>
        textOf(isObject(declared) ? declared['name'] : ''),
      ),
      toolResults: messages
        .filter(({ role }) => role === 'tool')
        .map(({ tool_call_id: id, content }) => ({ id: textOf(id), text: partsText(content) })),
    };
  },
  errorBody: openAiError,
  errorEvent: (refused) => sse(openAiError(refused)),
  *frames(answer) {
    const head = { id: freshId('chatcmpl-'), object: 'chat.completion.chunk', created: 1_700_000_000, model: 'odd' };
    const chunk = (delta: JsonObject, finish: string | null = null) =>
      sse({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
    yield { part: 'start', text: chunk({ role: 'assistant', content: '' }) };
    if (answer.reasoning !== undefined) yield { part: 'start', text: chunk({ reasoning_content: answer.reasoning }) };
    for (const piece of pieces(answer.text ?? '')) yield { part: 'text', text: chunk({ content: piece }) };
    for (const [index, call] of (answer.calls ?? []).entries()) {
      const begun = {
        index,
        id: call.id ?? freshId('call_'),
        type: 'function',
        function: { name: call.name, arguments: '' },
      };
      yield { part: 'call', text: chunk({ tool_calls: [begun] }) };
      for (const piece of pieces(argsText(call)))
        yield { part: 'call', text: chunk({ tool_calls: [{ index, function: { arguments: piece } }] }) };
    }
    const { input, output } = answer.usage ?? DEFAULT_USAGE;
    const usage = usageOf(answer);
    yield {
      part: 'end',
      counts: { input, output },
      text: `${chunk({}, reasonOf(answer, FINISH))}${sse({ ...head, choices: [], usage })}data: [DONE]\n\n`,
    };
  },
  whole(answer) {
    const calls = (answer.calls ?? []).map((call) => ({
      id: call.id ?? freshId('call_'),
      type: 'function',
      function: { name: call.name, arguments: argsText(call) },
    }));
    const message = {
      role: 'assistant',
      content: answer.text ?? null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    return {
      id: freshId('chatcmpl-'),
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'odd',
      choices: [{ index: 0, message, finish_reason: reasonOf(answer, FINISH) }],
      usage: usageOf(answer),
    };
  },
};

function usageOf({ usage: { input, output } = DEFAULT_USAGE }: ScriptedAnswer): JsonObject {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function partsText(content: Json | undefined): string {
  return typeof content === 'string'
    ? content
    : asList(content)
        .map(({ type, text }) => textOf(text) || `(${textOf(type)})`)
        .join('\n');
}
