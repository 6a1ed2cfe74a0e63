export interface BodyLimits {
  /** Of all of it. */
  maxBytes: number;
  /** Between two line feeds: parsers of event streams keep a line until it ends. */
  maxLineBytes: number;
  /** Who sends it, for the error. */
  sender: string;
}

/** An answer went beyond its limits. */
export class AnswerTooLarge extends Error {}

const LINE_FEED = 10;

/** Passes a body on and breaks it off as soon as it goes beyond a limit. Errors: AnswerTooLarge, to the body's reader. */
export function limitedBody({ maxBytes, maxLineBytes, sender }: BodyLimits): TransformStream<Uint8Array, Uint8Array> {
  let total = 0;
  let line = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      const [first, last] = [chunk.indexOf(LINE_FEED), chunk.lastIndexOf(LINE_FEED)];
      const longest = first < 0 ? line + chunk.length : line + first; // what is within one chunk is small
      line = first < 0 ? longest : chunk.length - last - 1;
      if (total > maxBytes) controller.error(new AnswerTooLarge(`${sender} sent more than ${megabytes(maxBytes)}`));
      else if (longest > maxLineBytes)
        controller.error(new AnswerTooLarge(`${sender} sent a line of more than ${megabytes(maxLineBytes)}`));
      else controller.enqueue(chunk);
    },
  });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
