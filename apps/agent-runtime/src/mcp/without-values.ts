const SHOWN = Buffer.from('***');
/** Shorter parts of a header are words such as `Bearer`. */
const MIN_BYTES = 8;

/** A response whose body does not show these values, or a part of one that stands alone, as they came. */
export function withoutValues(response: Response, values: string[]): Response {
  const needles = [...new Set(values.flatMap((value) => [value, ...value.split(/\s+/)]))]
    .filter((value) => value.length >= MIN_BYTES)
    .toSorted((a, b) => b.length - a.length)
    .map((value) => Buffer.from(value));
  if (!response.body || needles.length === 0) return response;
  let held: Buffer = Buffer.alloc(0);
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const whole = replaced(Buffer.concat([held, chunk]), needles);
        const from = whole.length - beginLength(whole, needles);
        held = whole.subarray(from);
        if (from > 0) controller.enqueue(whole.subarray(0, from));
      },
      flush(controller) {
        if (held.length > 0) controller.enqueue(held);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

function replaced(text: Buffer, needles: Buffer[]): Buffer {
  let result = text;
  for (const needle of needles) {
    for (let at = result.indexOf(needle); at >= 0; at = result.indexOf(needle, at + SHOWN.length))
      result = Buffer.concat([result.subarray(0, at), SHOWN, result.subarray(at + needle.length)]);
  }
  return result;
}

/** How many bytes at the end may be the beginning of a value: they wait for what follows. The end of an event never does. */
function beginLength(text: Buffer, needles: Buffer[]): number {
  const longest = Math.min(text.length, Math.max(...needles.map(({ length }) => length)) - 1);
  for (let length = longest; length > 0; length--) {
    const end = text.subarray(text.length - length);
    if (needles.some((needle) => needle.length > length && needle.subarray(0, length).equals(end))) return length;
  }
  return 0;
}
