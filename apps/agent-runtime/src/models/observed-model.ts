import type { LanguageModelV4, LanguageModelV4GenerateResult, LanguageModelV4Usage } from '@ai-sdk/provider';
import { wrapLanguageModel } from 'ai';
import { setTimeout as sleep } from 'node:timers/promises';
import { modelFailure } from './model-failure.js';
import type { ResolvedModel } from './model-registry.js';
import { measureCall } from './model-metrics.js';
import { tracedModelCall } from './model-spans.js';
import { RequestChanges } from './prompt/request-changes.js';
import { withWholeText } from './prompt/whole-text.js';
import { type AnswerListener, BrokenStream, collectAnswer } from './collect-answer.js';
import { wireTools } from './tool-schema/wire-tools.js';

/** A provider that asks for longer is left alone by giving the turn back to messaging, which waits: no slot is held meanwhile. */
const MAX_PAUSE_MS = 10_000;

export interface AnswerObserver extends AnswerListener {
  /** An answer begins. */
  onBegin(): void;
  /** Before each call, the repeated ones included; returns its observer. What it throws stops the call. */
  onCall?(): Promise<CallObserver>;
}

interface Reason {
  code: string;
  message: string;
}

/** Observes one call. Each ends with an answer or a failure. */
export interface CallObserver {
  onFirst(): void;
  onAnswer(answer: LanguageModelV4GenerateResult): void;
  /** `usage`: what the provider reported of it all the same. */
  onFailure(reason: Reason, usage: LanguageModelV4Usage | undefined): void;
  /** It failed, and is made again after a pause. */
  onRetry(reason: Reason, pauseMs: number): void;
}

const STOPPED = { code: 'INTERRUPTED', message: 'the turn was stopped before the model had answered' };

export const UNOBSERVED: AnswerObserver = { onBegin: () => undefined };

/**
 * A model that answers `generateText` by its stream, observed while it arrives: the SDK's own streaming passes each piece
 * through half a dozen streams, which took a tenth of a short turn. A passing failure is tried again once, after a
 * pause, as long as nobody was shown any of it: that cannot be taken back here. What lasts longer is messaging's to try
 * again, with the turn's work kept. A refused request is made again, changed in what may be meant. Errors: those of the
 * provider as they come, BrokenStream, those of `onCall`.
 */
export function observedModel(resolved: ResolvedModel, observer: AnswerObserver = UNOBSERVED): LanguageModelV4 {
  const changes = new RequestChanges();
  return wrapLanguageModel({
    model: resolved.model,
    middleware: {
      specificationVersion: 'v4',
      transformParams: ({ params }) => Promise.resolve(wireTools(resolved.wire, params)),
      wrapGenerate: async ({ model, params }): Promise<LanguageModelV4GenerateResult> => {
        let isShown = false;
        const listener: AnswerListener = {
          onText: (delta) => {
            isShown ||= observer.onText !== undefined && delta.trim() !== '';
            observer.onText?.(delta);
          },
        };
        let refusal: unknown;
        for (let isRepeated = false; ;) {
          const request = withWholeText(changes.applyTo(params));
          const call = await observer.onCall?.();
          try {
            const answer = await measureCall(resolved.provider, params.abortSignal, () =>
              tracedModelCall(resolved, request, async (onFirst) => {
                const stream = await model.doStream(request);
                observer.onBegin();
                return collectAnswer(stream, { ...listener, onFirst: () => (onFirst(), call?.onFirst()) });
              }),
            );
            call?.onAnswer(answer);
            return answer;
          } catch (error) {
            const failure = modelFailure(error, resolved);
            const usage = error instanceof BrokenStream ? error.usage : undefined;
            call?.onFailure(params.abortSignal?.aborted ? STOPPED : reasonOf(failure), usage);
            if (isShown || params.abortSignal?.aborted) throw error;
            if (failure.code === 'MODEL_REFUSED_REQUEST') {
              const made = changes.makeAfter(failure.message, params);
              if (!made) throw refusal ?? error;
              // What comes after a guess may be refused for the guess.
              refusal = made === 'guessed' ? (refusal ?? error) : undefined;
              call?.onRetry(reasonOf(failure), 0);
              continue;
            }
            const pauseMs = failure.retryAfterMs ?? resolved.retryMs * (0.5 + Math.random());
            if (isRepeated || !failure.retryable || pauseMs > MAX_PAUSE_MS) throw error;
            isRepeated = true;
            call?.onRetry(reasonOf(failure), pauseMs);
            await sleep(pauseMs, undefined, params.abortSignal ? { signal: params.abortSignal } : {});
          }
        }
      },
    },
  });
}

const reasonOf = ({ code, message }: Reason): Reason => ({ code, message });
