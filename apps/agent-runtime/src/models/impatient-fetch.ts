import { limitedBody } from '#lib/bounded-streams';

/** A whole answer of a model is below a mebibyte, and an event of its stream a line of some kilobytes. */
const limits = { maxBytes: 64 * 2 ** 20, maxLineBytes: 16 * 2 ** 20, sender: 'the provider' };

/** A provider that was connected and then sent nothing. */
export class ModelSilent extends Error {
  constructor(silenceMs: number) {
    super(`the provider sent nothing for ${silenceMs / 1_000} s`);
  }
}

/**
 * A fetch that gives up when no byte comes for `silenceMs`, neither of the headers nor of the body, or too many do.
 * Errors: ModelSilent; AnswerTooLarge to the body's reader.
 */
export function impatientFetch(silenceMs: number): typeof fetch {
  return async (input, init) => {
    const silence = new AbortController();
    const expire = () => silence.abort(new ModelSilent(silenceMs));
    let timer = setTimeout(expire, silenceMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    try {
      const response = await fetch(input, { ...init, signal });
      if (!response.body) {
        clearTimeout(timer);
        return response;
      }
      const observed = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          clearTimeout(timer);
          timer = setTimeout(expire, silenceMs);
          controller.enqueue(chunk);
        },
        flush: () => clearTimeout(timer),
      });
      const { status, statusText, headers } = response;
      return new Response(response.body.pipeThrough(observed).pipeThrough(limitedBody(limits)), {
        status,
        statusText,
        headers,
      });
    } catch (error) {
      clearTimeout(timer);
      throw error;
    }
  };
}
