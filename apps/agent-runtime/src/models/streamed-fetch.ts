import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { ReadableWritablePair } from 'node:stream/web';
import { providerMessage } from './provider-message.js';
import { UnusableAnswer } from './unusable-answer.js';

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A fetch for calls that ask for a stream of events, by which the SDK finds one in what servers send in its place: an
 * error under HTTP 200 gets its status, a whole answer becomes events, and chunks of chat completions get the formal
 * pieces that they lack. Expects bounded answers. Errors: UnusableAnswer for other JSON; those of `fetch`.
 */
export function streamedFetch(fetch: typeof globalThis.fetch, isChat: boolean): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok || !response.body) return response;
    const { headers, status } = response;
    const isJson = headers.get('content-type')?.startsWith('application/json') ?? false;
    if (!isJson) return isChat ? new Response(wholeChunks(response.body), { status, headers }) : response;
    const text = await response.text();
    const answer = parsed(text);
    // Events under a wrong name, or nothing at all: as it came.
    if (answer === undefined) return new Response(isChat ? wholeChunks(bodyOf(text)) : text, { status, headers });
    const errorStatus = statusOfError(answer);
    if (errorStatus) return new Response(text, { status: errorStatus, headers });
    const events = isChat ? eventsOf(answer) : undefined;
    if (events === undefined) throw new UnusableAnswer(`answered without a stream: ${providerMessage(text)}`);
    return new Response(wholeChunks(bodyOf(events)), { status, headers });
  };
}

const bodyOf = (text: string) => new Blob([text]).stream() as ReadableStream<Uint8Array>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the error would have come with; undefined where there is none. Google puts its into a list. */
function statusOfError(answer: unknown): number | undefined {
  const sent: unknown = Array.isArray(answer) ? answer[0] : answer;
  if (!isFields(sent) || !sent['error']) return undefined;
  const error = isFields(sent['error']) ? sent['error'] : {};
  const numbers = [error['code'], error['status'], sent['code'], sent['status']].map(Number);
  return numbers.find((number) => number >= 400 && number < 600) ?? 500;
}

/** A chat completion of a server that does not stream, as its events; undefined for what is none. */
function eventsOf(answer: unknown): string | undefined {
  const choice: unknown = isFields(answer) && Array.isArray(answer['choices']) ? answer['choices'][0] : undefined;
  if (!isFields(answer) || !isFields(choice) || !isFields(choice['message'])) return undefined;
  const { message, ...rest } = choice;
  const calls: unknown[] = Array.isArray(message['tool_calls']) ? message['tool_calls'] : [];
  const delta = { ...message, tool_calls: calls.map((call, index) => (isFields(call) ? { index, ...call } : call)) };
  const whole = { ...rest, delta, finish_reason: rest['finish_reason'] ?? 'stop' };
  return `${event(JSON.stringify({ ...answer, choices: [whole] }))}${event(DONE)}`;
}

const DONE = '[DONE]';
const STOP = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
// By line feeds alone: for a pattern, the separators of Unicode begin a line as well, and they may stand in JSON.
const event = (data: string) => `data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;

/** Keys as they stand in a chunk's JSON: within a string their quotation marks would be escaped. */
const HAS_CHOICES = /"choices"\s*:\s*\[/;
const NO_ERROR = /"error"\s*:\s*null/;
const HAS_REASON = /"finish_reason"\s*:\s*"/;
const HAS_TEXT = /"(content|reasoning|reasoning_content)"\s*:\s*"(?!")/;
const HAS_CALLS = /"tool_calls"\s*:\s*\[\s*\{/;

/** What has come of an answer. Gateways write `[DONE]` behind a cut one as well: a call that was cut must not run. */
class Seen {
  hasReason = false;
  private hasText = false;
  private readonly calls = new Map<unknown, string>();

  add(data: string): void {
    this.hasReason ||= HAS_REASON.test(data);
    this.hasText ||= HAS_TEXT.test(data);
    if (!HAS_CALLS.test(data)) return;
    for (const { index, function: called } of callsIn(parsed(data))) {
      const piece = isFields(called) && typeof called['arguments'] === 'string' ? called['arguments'] : '';
      this.calls.set(index, (this.calls.get(index) ?? '') + piece);
    }
  }

  /** Text that was cut cannot be told from text that was not. */
  get mayBeWhole(): boolean {
    if (this.calls.size === 0) return this.hasText;
    return [...this.calls.values()].every((args) => parsed(args) !== undefined);
  }
}

function callsIn(chunk: unknown): Fields[] {
  const choice: unknown = isFields(chunk) && Array.isArray(chunk['choices']) ? chunk['choices'][0] : undefined;
  const delta = isFields(choice) && isFields(choice['delta']) ? choice['delta'] : {};
  return Array.isArray(delta['tool_calls']) ? delta['tool_calls'].filter(isFields) : [];
}

/**
 * Chunks of a chat completion as the SDK takes them. It counts an answer as broken for an `error` of null and for counts
 * of tokens without `choices`, and where no chunk names a reason for its end, though it may be whole by `[DONE]` and what came before.
 */
function wholeChunks(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  let parser: EventSourceParser;
  const seen = new Seen();
  const encoder = new TextEncoder();
  const chunks = new TransformStream<string, Uint8Array>({
    start(controller) {
      const send = (data: string) => controller.enqueue(encoder.encode(event(data)));
      parser = createParser({
        onEvent: ({ data }) => {
          if (data === DONE && !seen.hasReason && seen.mayBeWhole) send(STOP);
          seen.add(data);
          send(data === DONE || (HAS_CHOICES.test(data) && !NO_ERROR.test(data)) ? data : wholeChunk(data));
        },
      });
    },
    transform: (text) => parser.feed(text),
  });
  return body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).pipeThrough(chunks);
}

/** Untouched where it is no chunk: an error, or something else. */
function wholeChunk(data: string): string {
  const chunk = parsed(data);
  if (!isFields(chunk)) return data;
  const { error, ...rest } = chunk;
  const isChunk = 'choices' in rest || 'usage' in rest || rest['object'] === 'chat.completion.chunk';
  return (error === null || error === undefined) && isChunk
    ? JSON.stringify({ ...rest, choices: rest['choices'] ?? [] })
    : data;
}
