import { RoostError } from '#lib/contracts';
import { type FinishReason, generateText, type ModelMessage } from 'ai';
import { isUnreadable } from '../models/finish-reason.js';
import { type ModelFailure, modelFailure, OtherModelFailed } from '../models/model-failure.js';
import { type AnswerObserver, observedModel, UNOBSERVED } from '../models/observed-model.js';
import type { ResolvedModel } from '../models/model-registry.js';
import { withoutBase64 } from '../models/prompt/base64-text.js';
import { estimateTokens } from '../models/tokens.js';
import { isExhausted } from '../usage/budget-exhausted.js';

const BASE_INSTRUCTIONS = `Summarise the conversation below for the assistant that will continue it. Keep every fact, name, number, decision, file path, open task and wish of the user that may matter later, in short notes. Leave out greetings and tool output that is no longer of use. Write only the summary.`;
/** How much of the threshold the untouched newest part may take. */
const KEPT_SHARE = 0.25;
/** Enough for a summary. Some models think within it, and some servers take no limit by this name: then without one. */
const MAX_SUMMARY_TOKENS = 4_000;

export interface CompactionPlan {
  /** Messages from the start that the summary replaces; 0 when there is nothing to replace. */
  replaced: number;
}

export function tokensOf(messages: ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + tokensOfMessage(message), 0);
}

/** About what providers count for a picture, whatever its bytes. */
const FILE_TOKENS = 1_600;

/** A file's base64 is no text: counted so, one picture would be a long conversation. */
function tokensOfMessage(message: ModelMessage): number {
  let files = 0;
  const text = JSON.stringify(message, (key, value: unknown) => {
    if (key !== 'data' || typeof value !== 'string' || value.length < FILE_TOKENS) return value;
    files++;
    return '';
  });
  return estimateTokens(text) + files * FILE_TOKENS;
}

/**
 * Decides how many of the oldest messages to summarise, so that the newest `threshold / 4` tokens stay as they are.
 * The rest begins with a user's or an assistant's message, never with a tool's result: pairs stay together.
 */
export function planCompaction(messages: ModelMessage[], threshold: number): CompactionPlan {
  let kept = 0;
  let start = messages.length;
  while (start > 0) {
    const message = messages[start - 1];
    if (!message) break;
    kept += tokensOfMessage(message);
    if (kept > threshold * KEPT_SHARE) break;
    start--;
  }
  // Newest message larger than the share: it stays, whatever its size.
  start = Math.min(start, Math.max(messages.length - 1, 0));
  while (start > 0 && messages[start]?.role === 'tool') start--;
  return { replaced: start };
}

export interface Summariser {
  model: ResolvedModel;
  instructions?: string | undefined;
  signal: AbortSignal;
  threshold: number;
  /** Nothing is left out for a passing failure: whoever asks tries again. */
  isPatient: boolean;
  /** As of `observedModel`. */
  onCall?: AnswerObserver['onCall'];
}

/** Lasting failures that somebody sets right, after which the same messages can be summarised. */
const CURABLE = new Set<ModelFailure['code']>(['MODEL_KEY_REFUSED', 'MODEL_BILLING', 'MODEL_NOT_FOUND']);

/** What came is no summary, or only the beginning of one. */
class NoSummary extends Error {
  constructor(readonly finishReason: FinishReason) {
    super(`the model gave an empty summary or a part of one (${finishReason})`);
    this.name = NoSummary.name;
  }
}

const CUT = new Set<FinishReason>(['length', 'content-filter']);

export interface Summary {
  message: ModelMessage;
  /** Why what it stands for was dropped instead. */
  failed?: unknown;
  /** A later turn may well have a summary of the same messages: they are not to be given up for good. */
  isCurable: boolean;
}

/**
 * Summarises messages into one. What cannot be summarised is dropped, and the message says so. Longer stretches than the
 * model can take go in pieces, each with the summary of those before it. A summary that comes out empty or cut is asked
 * for once more without a limit of its length. Errors: the provider's passing ones where the caller is patient,
 * BudgetExhausted, the signal's reason.
 */
export async function summarise(messages: ModelMessage[], summariser: Summariser): Promise<Summary> {
  const { model, signal, threshold, isPatient } = summariser;
  let isLimited = true;
  try {
    let summary = '';
    for (const piece of pieces(messages.map(asText), threshold * 2)) {
      const prompt = summary ? `Summary so far:\n${summary}\n\nWhat came next:\n${piece}` : piece;
      summary = await ask(prompt, summariser, isLimited).catch((error: unknown) => {
        if (!isLimited || !mayBeOfLimit(error, model)) throw error;
        isLimited = false;
        return ask(prompt, summariser, isLimited);
      });
    }
    return { message: note(`Summary of the conversation so far:\n${summary}`), isCurable: false };
  } catch (error) {
    signal.throwIfAborted();
    if (isExhausted(error)) throw error;
    if (error instanceof NoSummary) return { message: dropped(messages.length), failed: error, isCurable: true };
    const { retryable, code } = modelFailure(error, model);
    if (retryable && isPatient) throw error instanceof RoostError ? error : new OtherModelFailed(error, model);
    return { message: dropped(messages.length), failed: error, isCurable: retryable || CURABLE.has(code) };
  }
}

/** Errors: NoSummary, those of the provider. */
async function ask(
  prompt: string,
  { model, instructions, signal, onCall }: Summariser,
  isLimited: boolean,
): Promise<string> {
  const {
    text,
    finishReason,
    rawFinishReason: raw,
  } = await generateText({
    model: observedModel(model, { ...UNOBSERVED, ...(onCall ? { onCall } : {}) }),
    instructions: instructions ? `${BASE_INSTRUCTIONS}\n\n${instructions}` : BASE_INSTRUCTIONS,
    prompt,
    ...(isLimited ? { maxOutputTokens: MAX_SUMMARY_TOKENS } : {}),
    // Else the provider keeps the conversation.
    providerOptions: { openai: { store: false } },
    abortSignal: signal,
    maxRetries: 0,
  });
  const summary = text.trim();
  if (!summary || CUT.has(finishReason) || isUnreadable({ raw })) throw new NoSummary(finishReason);
  return summary;
}

/** Some servers count the limit as a part of what they were sent. */
const mayBeOfLimit = (error: unknown, model: ResolvedModel): boolean =>
  error instanceof NoSummary
    ? error.finishReason !== 'content-filter'
    : ['MODEL_REFUSED_REQUEST', 'MODEL_CONTEXT_TOO_LONG'].includes(modelFailure(error, model).code);

function note(text: string): ModelMessage {
  return { role: 'user', content: `[${text}]` };
}

function dropped(count: number): ModelMessage {
  return note(
    `The ${count} oldest entries of this conversation were dropped because they no longer fit and could not be summarised. Ask when you miss something.`,
  );
}

function asText(message: ModelMessage): string {
  if (typeof message.content === 'string') return `${message.role}: ${message.content}`;
  const parts = message.content.map((part) => {
    if (part.type === 'text') return part.text;
    if (part.type === 'tool-call') return `(calls ${part.toolName} with ${clip(JSON.stringify(part.input), 2_000)})`;
    if (part.type === 'tool-result')
      return `(${part.toolName} answered ${clip(withoutBase64(JSON.stringify(part.output)), 2_000)})`;
    return '';
  });
  return `${message.role}: ${parts.filter(Boolean).join('\n')}`;
}

function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max / 2)} … ${text.slice(-max / 2)}`;
}

/** Joins texts into pieces of at most `maxChars`, cutting single texts that are longer. */
function pieces(texts: string[], maxChars: number): string[] {
  const joined: string[] = [];
  let piece = '';
  for (const text of texts.flatMap((whole) => slices(whole, maxChars))) {
    if (piece && piece.length + text.length > maxChars) {
      joined.push(piece);
      piece = '';
    }
    piece += `${text}\n\n`;
  }
  if (piece) joined.push(piece);
  return joined;
}

function slices(text: string, maxChars: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at === 0 || at < text.length; at += maxChars) parts.push(text.slice(at, at + maxChars));
  return parts;
}
