/** A provider that was connected and then said nothing. */
export class ModelSilent extends Error {
  constructor(silenceMs: number) {
    super(`the provider sent nothing for ${silenceMs / 1_000} s`);
  }
}

/** A fetch that gives up when no byte comes for `silenceMs`, neither of the headers nor of the body. Errors: ModelSilent. */
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
      const heard = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          clearTimeout(timer);
          timer = setTimeout(expire, silenceMs);
          controller.enqueue(chunk);
        },
        flush: () => clearTimeout(timer),
      });
      const { status, statusText, headers } = response;
      return new Response(response.body.pipeThrough(heard), { status, statusText, headers });
    } catch (error) {
      clearTimeout(timer);
      throw error;
    }
  };
}
