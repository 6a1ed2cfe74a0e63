import { needlesOf, scrubText } from './needles.js';
import { ByteScrubber } from './scrubber.js';

/** Shorter parts of a header are words such as `Bearer`. */
const MIN_PART = 8;

/** A response of `fetch` that does not show the values of these headers, nor a part of one that stands alone. */
export function withoutSecrets(response: Response, values: string[]): Response {
  const parts = values.flatMap((value) => value.split(/\s+/)).filter((part) => part.length >= MIN_PART);
  const needles = needlesOf([...new Set([...values, ...parts])]);
  if (needles.length === 0) return response;
  const scrubber = new ByteScrubber(needles);
  const body = response.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const clean = scrubber.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
        if (clean.length > 0) controller.enqueue(clean);
      },
      flush(controller) {
        const rest = scrubber.end();
        if (rest.length > 0) controller.enqueue(rest);
      },
    }),
  );
  const headers = new Headers();
  for (const [name, value] of response.headers) headers.append(name, scrubText(value, needles));
  const { status, statusText } = response;
  return new Response(body ?? null, { status, statusText: scrubText(statusText, needles), headers });
}
