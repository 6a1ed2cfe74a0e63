/** A tool call as the model makes it. `args`: an object, or the raw text where it is not to be JSON. */
export interface ScriptedCall {
  name: string;
  args: object | string;
  /** As the provider names it; a new one of the wire's own form without it. */
  id?: string;
}

export interface Tokens {
  input: number;
  output: number;
}

/** What the model answers to one request, whatever the wire. */
export interface ScriptedAnswer {
  reasoning?: string;
  text?: string;
  calls?: ScriptedCall[];
  /**
   * Why it ends: by itself, by its output limit, for its tool calls, by a filter, or with a reason that its wire does not
   * know. Default: `calls` with calls, else `stop`.
   */
  end?: 'stop' | 'length' | 'calls' | 'filter' | { unknown: string };
  /** With the end: the provider's words about it, on the wires that have a place for them. */
  explanation?: string;
  usage?: Tokens;
}

/** What happens in place of a whole answer, or in the middle of one. */
export type Misbehaviour =
  /** An error status with the wire's own body. `code` and `type` as the provider writes them. */
  | { kind: 'status'; status: number; message?: string; code?: string; retryAfter?: number | string }
  /** A page of a proxy in between. */
  | { kind: 'html'; status: number }
  /** The connection is reset before any header. */
  | { kind: 'reset' }
  /** Within a stream that began with HTTP 200, at the given position. */
  | { kind: 'break' | 'cut' | 'stall' | 'garbage'; at: StreamPosition }
  /**
   * The provider's own error event within the stream. `final`: one that trying again does not cure. `sent`: as servers
   * write it that only resemble the provider.
   */
  | { kind: 'error-event'; at: StreamPosition; final?: boolean; sent?: object }
  /** JSON under HTTP 200 in place of the stream: the given, or the answer as a whole on a wire that has a form for it. */
  | { kind: 'json'; sent?: object }
  /** A server that only resembles the provider writes its events in another way. */
  | { kind: 'rewritten'; rewrite: (frame: string) => string }
  /** Every piece comes late. */
  | { kind: 'drip'; pauseMs: number };

/**
 * Where in a stream: after the headers, after some text, inside a tool call's arguments, before the last text.
 * A position that the answer does not have is its end.
 */
export type StreamPosition = 'headers' | 'text' | 'call' | 'end';

/** One scripted reaction to one request. */
export interface Reaction {
  answer?: ScriptedAnswer;
  misbehaviour?: Misbehaviour;
}

/** A piece of a streamed answer and what it carries. */
export interface Frame {
  text: string;
  part: 'start' | 'text' | 'call' | 'end';
  /** What it says that the provider has counted. */
  counts?: Tokens;
}

export const DEFAULT_USAGE = { input: 100, output: 10 };

/** Text in pieces, as tokens come. A huge one in larger pieces, so that it does not take minutes. */
export function* pieces(text: string): Generator<string> {
  const size = Math.max(6, Math.ceil(text.length / 400));
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

export const argsText = ({ args }: ScriptedCall) => (typeof args === 'string' ? args : JSON.stringify(args));

export function endOf({ end, calls = [] }: ScriptedAnswer): NonNullable<ScriptedAnswer['end']> {
  return end ?? (calls.length > 0 ? 'calls' : 'stop');
}

/** The reason as a wire names it. */
export function reasonOf(
  answer: ScriptedAnswer,
  names: Record<'stop' | 'length' | 'calls' | 'filter', string>,
): string {
  const end = endOf(answer);
  return typeof end === 'string' ? names[end] : end.unknown;
}
