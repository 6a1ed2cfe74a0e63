import { APICallError, TypeValidationError } from 'ai';

/** What a provider returned when it failed, in whichever form the SDK hands it on. */
export interface ProviderError {
  /** Of its answer, or its own number of an error within a stream. Absent: it gave none. */
  status?: number;
  /** The provider's own words for the kind of failure: `error.type`, `error.code`, `error.status`, reasons in details. */
  kinds: string[];
  message: string;
  /** The error as it was sent, from its beginning, but for what it repeats of the request. */
  body: string;
  /** How long it asks to be left alone, where it says so. */
  retryAfterMs?: number;
}

type Fields = Record<string, unknown>;

/** What is longer repeats the prompt, or is a page of HTML. */
const MAX_BODY_CHARS = 10_000;
/** Errors within errors, and details of each: routers hand on what they were told. */
const MAX_LAYERS = 5;
const MAX_DETAILS = 20;

/** undefined: there was no answer, the connection was not made or broke. */
export function providerErrorOf(error: unknown): ProviderError | undefined {
  if (APICallError.isInstance(error)) {
    const { statusCode, message, responseBody = '', data, responseHeaders } = error;
    // A success that could not be read to its end is no answer: the headers came, the rest broke.
    if (statusCode === undefined || statusCode < 300) return undefined;
    const sent = parsed(responseBody) ?? data;
    const layers = layersOf(sent);
    const retryAfterMs = retryAfter(responseHeaders) ?? retryDelay(layers);
    return {
      status: statusCode,
      kinds: layers.flatMap(kindsOf),
      message: messageOf(sent, layers) || (sent === undefined && plainWords(responseBody)) || message,
      body: (sent === undefined ? responseBody : asSaid(sent)).slice(0, MAX_BODY_CHARS),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  const sent = sentWithin(error);
  const layers = layersOf(sent);
  const kinds = layers.flatMap(kindsOf);
  const status = layers.flatMap(numbersOf)[0];
  const message = messageOf(sent, layers);
  if (kinds.length === 0 && status === undefined && !message) return undefined;
  const retryAfterMs = retryDelay(layers);
  return {
    ...(status === undefined ? {} : { status }),
    kinds,
    message: message || (error instanceof Error ? error.message : ''),
    body: asSaid(sent).slice(0, MAX_BODY_CHARS),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Python's servers repeat what they did not take as `input`: words of the conversation, which may say anything. */
const asSaid = (sent: unknown): string =>
  JSON.stringify(sent, (key, value: unknown) => (key === 'input' ? undefined : value)) ?? '';

/** An error event within a stream is handed on as the provider wrote it, or as what no event of its wire looks like. */
function sentWithin(error: unknown): unknown {
  if (TypeValidationError.isInstance(error)) return isFields(error.value) && error.value['error'] ? error.value : {};
  return error instanceof Error ? (error as { data?: unknown }).data : error;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects in which a provider says something of an error, the innermost first, then their details. */
function layersOf(sent: unknown): Fields[] {
  const layers: Fields[] = [];
  // Google's endpoint for OpenAI's wire puts its error into a list.
  let at = Array.isArray(sent) ? (sent[0] as unknown) : sent;
  while (isFields(at) && layers.length < MAX_LAYERS) {
    layers.unshift(at);
    // Mistral has what its schema did not take in a message.
    at = [at['error'], at['message']].find(isFields);
  }
  const details = layers.flatMap(({ details: list }) => (Array.isArray(list) ? list.slice(0, MAX_DETAILS) : []));
  return [...layers, ...details.filter(isFields)];
}

function kindsOf({ type, code, status, reason, metadata }: Fields): string[] {
  // OpenRouter's number alone would be of a refused key.
  const moderated = isFields(metadata) && 'flagged_input' in metadata ? 'flagged_input' : undefined;
  return [type, code, status, reason, moderated].flatMap((kind) =>
    typeof kind === 'string' && kind !== 'error' ? kind.toLowerCase() : [],
  );
}

function numbersOf({ statusCode, code, status }: Fields): number[] {
  return [statusCode, code, status].map(Number).filter((number) => number >= 400 && number < 600);
}

function messageOf(sent: unknown, layers: Fields[]): string {
  if (typeof sent === 'string') return sent;
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  const message =
    layers.flatMap(({ message, error, detail }) => [message, error, refusedFields(detail)].filter(isText))[0] ?? '';
  // OpenRouter's own words are always the same.
  const raw = layers.map(({ metadata }) => (isFields(metadata) ? metadata['raw'] : undefined)).find(isText);
  return raw ? `${message}: ${raw}` : message;
}

/** Python servers (Mistral, vLLM) list what their schema did not take, each with its place in the request. */
function refusedFields(detail: unknown): unknown {
  if (!Array.isArray(detail)) return detail;
  const fields = detail.slice(0, MAX_DETAILS).filter(isFields);
  return fields
    .map(({ loc, msg }) => [Array.isArray(loc) && loc.slice(0, MAX_DETAILS).join('.'), msg].filter(Boolean).join(': '))
    .join('; ');
}

/** Of an answer that is no JSON: servers of one's own say a line of text, a proxy before them sends a page, whose title says it. */
function plainWords(body: string): string {
  const words = body.slice(0, MAX_BODY_CHARS).trim();
  if (!words.startsWith('<')) return words;
  return /<title[^>]*>([^<]*)/i.exec(words)?.[1]?.trim() ?? '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAfter(headers: Record<string, string> | undefined): number | undefined {
  const inMs = Number.parseFloat(headers?.['retry-after-ms'] ?? '');
  if (Number.isFinite(inMs)) return Math.max(0, inMs);
  const value = headers?.['retry-after'];
  if (!value) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Google says it in the body alone: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto, RetryInfo. */
function retryDelay(layers: Fields[]): number | undefined {
  const delays = layers.flatMap(({ retryDelay: delay }) => (typeof delay === 'string' ? delay : []));
  const seconds = /^(\d{1,9}(?:\.\d+)?)s$/.exec(delays[0] ?? '')?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
}
