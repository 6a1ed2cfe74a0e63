import type { IncomingHttpHeaders } from 'node:http';
import type { Frame, ScriptedAnswer } from './answer.js';

export type WireName = 'anthropic' | 'openai-chat' | 'openai-responses' | 'google';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

/** What a request contains, whatever the wire. */
export interface AskedRequest {
  wire: WireName;
  body: JsonObject;
  userTexts: string[];
  toolNames: string[];
  /** What the tools answered, oldest first, as far as it is text. */
  toolResults: { id: string; text: string }[];
}

/** One provider's protocol: how it checks a request and how it streams an answer. */
export interface Wire {
  name: WireName;
  /** Errors: Refused, as the service documents it. */
  check(body: JsonObject, headers: IncomingHttpHeaders): void;
  read(body: JsonObject): Omit<AskedRequest, 'wire' | 'body'>;
  frames(answer: ScriptedAnswer): Iterable<Frame>;
  /** An answer that was not asked for as a stream. */
  whole?(answer: ScriptedAnswer): JsonObject;
  errorBody(refused: Refused): JsonObject;
  /** An error sent within a stream. */
  errorEvent(refused: Refused): string;
}

/** The provider answers with an error status. `code` is the wire's own name of the reason. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

/** Refuses a request with 400 unless it is as it must be. */
export function must(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Refused(400, message);
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const asList = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

export const sse = (data: unknown, event?: string) =>
  `${event ? `event: ${event}\n` : ''}data: ${JSON.stringify(data)}\n\n`;

let ids = 0;
/** Unique in this process: real services never repeat theirs. */
export const freshId = (prefix: string) => `${prefix}${Date.now().toString(36)}${(ids++).toString(36)}`;
