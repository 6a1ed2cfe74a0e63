import { argsText, DEFAULT_USAGE, pieces, reasonOf, type ScriptedCall } from './answer.js';
import { checkGoogle } from './google-rules.js';
import { asList, freshId, isObject, type JsonObject, type Refused, sse, textOf, type Wire } from './wire.js';

/** Google has no finish reason for tool calls: an answer with them stops. */
const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', calls: 'STOP', filter: 'SAFETY' };

const STATUS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

const googleError = ({ status, message, code }: Refused): JsonObject => ({
  error: { code: status, message, status: STATUS[status] ?? 'UNKNOWN', details: code ? [{ reason: code }] : [] },
});

export const googleWire: Wire = {
  name: 'google',
  check: checkGoogle,
  read(body) {
    const parts = asList(body['contents']).flatMap(({ role, parts: list }) =>
      asList(list).map((part) => ({ ...part, role: role ?? null })),
    ) as JsonObject[];
    return {
      userTexts: parts
        .filter(({ role, text }) => role === 'user' && text !== undefined)
        .map(({ text }) => textOf(text)),
      toolNames: asList(body['tools'])
        .flatMap(({ functionDeclarations: list }) => asList(list))
        .map(({ name }) => textOf(name)),
      toolResults: parts.flatMap(({ functionResponse: answer }) =>
        isObject(answer) ? [{ id: textOf(answer['id']), text: resultText(answer) }] : [],
      ),
    };
  },
  errorBody: googleError,
  errorEvent: (refused) => sse(googleError(refused)),
  *frames(answer) {
    const head = { responseId: freshId('g'), modelVersion: 'gemini-odd' };
    const chunk = (parts: JsonObject[], rest: JsonObject = {}, usage: JsonObject = {}) =>
      sse({ ...head, candidates: [{ index: 0, content: { role: 'model', parts }, ...rest }], ...usage });
    if (answer.reasoning !== undefined)
      yield { part: 'start', text: chunk([{ text: answer.reasoning, thought: true }]) };
    for (const piece of pieces(answer.text ?? '')) yield { part: 'text', text: chunk([{ text: piece }]) };
    for (const call of answer.calls ?? []) {
      const text = chunk([{ functionCall: functionCall(call) }]);
      // Google sends a call's arguments whole; the connection may break within them all the same.
      yield { part: 'call', text: text.slice(0, text.length / 2) };
      yield { part: 'call', text: text.slice(text.length / 2) };
    }
    const { input, output } = answer.usage ?? DEFAULT_USAGE;
    const usage = { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output };
    const finishReason = reasonOf(answer, FINISH);
    // What its limit ended before it had words has no parts, and what else did no content.
    const isEmpty = answer.text === undefined && !answer.calls?.length;
    const parts = { parts: [{ text: '' }] };
    const content =
      isEmpty && !['STOP', 'MAX_TOKENS'].includes(finishReason)
        ? {}
        : { content: { role: 'model', ...(isEmpty ? {} : parts) } };
    const finishMessage = answer.explanation ? { finishMessage: answer.explanation } : {};
    yield {
      part: 'end',
      counts: { input, output },
      text: sse({
        ...head,
        candidates: [{ index: 0, ...content, finishReason, ...finishMessage }],
        usageMetadata: usage,
      }),
    };
  },
};

function functionCall(call: ScriptedCall): JsonObject {
  let args: unknown;
  try {
    args = JSON.parse(argsText(call));
  } catch {
    // The service never sends what is not JSON: a broken call comes as one without arguments.
    args = {};
  }
  return { name: call.name, args: isObject(args) ? args : {}, ...(call.id ? { id: call.id } : {}) };
}

function resultText(answer: JsonObject): string {
  const response = isObject(answer['response']) ? answer['response'] : {};
  return typeof response['content'] === 'string' ? response['content'] : JSON.stringify(response);
}
