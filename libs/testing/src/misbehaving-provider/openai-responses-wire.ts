import { argsText, DEFAULT_USAGE, endOf, type Frame, pieces, type ScriptedAnswer } from './answer.js';
import { openAiError } from './openai-chat-wire.js';
import { checkOpenAiResponses } from './openai-responses-rules.js';
import { asList, freshId, type Json, type JsonObject, sse, textOf, type Wire } from './wire.js';

export const openAiResponsesWire: Wire = {
  name: 'openai-responses',
  check: checkOpenAiResponses,
  read(body) {
    const input = asList(body['input']);
    return {
      userTexts: input.filter(({ role }) => role === 'user').map(({ content }) => partsText(content)),
      toolNames: asList(body['tools']).map(({ name }) => textOf(name)),
      toolResults: input
        .filter(({ type }) => type === 'function_call_output')
        .map(({ call_id: id, output }) => ({ id: textOf(id), text: partsText(output) })),
    };
  },
  errorBody: openAiError,
  errorEvent: ({ code, message }) =>
    sse({ type: 'error', sequence_number: 9, code: code ?? 'server_error', message, param: null }, 'error'),
  *frames(answer) {
    const events = new Events();
    const response = {
      id: freshId('resp_'),
      object: 'response',
      created_at: 1_700_000_000,
      model: 'odd',
      output: [],
    };
    yield {
      part: 'start',
      text: events.send('response.created', { response: { ...response, status: 'in_progress' } }),
    };
    yield* items(answer, events);
    const { input, output } = answer.usage ?? DEFAULT_USAGE;
    const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output };
    const end = endOf(answer);
    const reason = end === 'length' ? 'max_output_tokens' : end === 'filter' ? 'content_filter' : null;
    const status = reason ? 'incomplete' : 'completed';
    yield {
      part: 'end',
      counts: { input, output },
      text: events.send(`response.${status}`, {
        response: { ...response, status, usage, incomplete_details: reason ? { reason } : null },
      }),
    };
  },
};

class Events {
  private number = 0;

  send(type: string, rest: JsonObject): string {
    return sse({ type, sequence_number: this.number++, ...rest }, type);
  }
}

function* items({ reasoning, text, calls = [], end }: ScriptedAnswer, events: Events): Generator<Frame> {
  let index = 0;
  const added = (item: JsonObject) => events.send('response.output_item.added', { output_index: index, item });
  const done = (item: JsonObject) => events.send('response.output_item.done', { output_index: index++, item });
  if (reasoning !== undefined) {
    const item = { type: 'reasoning', id: freshId('rs_'), summary: [], encrypted_content: freshId('enc') };
    yield {
      part: 'start',
      text: added(item) + done({ ...item, summary: [{ type: 'summary_text', text: reasoning }] }),
    };
  }
  if (text !== undefined) {
    const item = { type: 'message', id: freshId('msg_'), role: 'assistant', status: 'in_progress', content: [] };
    yield { part: 'start', text: added(item) };
    for (const piece of pieces(text)) {
      const delta = { item_id: item.id, output_index: index, content_index: 0, delta: piece };
      yield { part: 'text', text: events.send('response.output_text.delta', delta) };
    }
    const content = [{ type: 'output_text', text, annotations: [] }];
    yield { part: 'text', text: done({ ...item, status: 'completed', content }) };
  }
  for (const [at, call] of calls.entries()) {
    // The service ends an answer that was cut in a call with that call as it is.
    const status = end === 'length' && at === calls.length - 1 ? 'incomplete' : 'completed';
    const item = { type: 'function_call', id: freshId('fc_'), call_id: call.id ?? freshId('call_'), name: call.name };
    yield { part: 'call', text: added({ ...item, arguments: '' }) };
    for (const piece of pieces(argsText(call))) {
      const delta = { item_id: item.id, output_index: index, delta: piece };
      yield { part: 'call', text: events.send('response.function_call_arguments.delta', delta) };
    }
    yield { part: 'call', text: done({ ...item, arguments: argsText(call), status }) };
  }
}

function partsText(content: Json | undefined): string {
  return typeof content === 'string'
    ? content
    : asList(content)
        .map(({ type, text }) => textOf(text) || `(${textOf(type)})`)
        .join('\n');
}
