import type { Streaming } from '../transport/transport.js';

/** Bytes that come as they are read. Read them to the end, or `cancel()`: the connection is held until then. */
export interface Download {
  stream: ReadableStream<Uint8Array>;
  /** Of what comes; undefined where it is not known before. */
  size: number | undefined;
  contentType: string | undefined;
  /** Of a file, for `ifMatch`. */
  etag: string | undefined;
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
  cancel(): Promise<void>;
}

export function downloadOf({ response, release }: Streaming): Download {
  const { headers, body } = response;
  const stream =
    body === null ? new ReadableStream<Uint8Array>({ start: (to) => to.close() }) : released(body, release);
  if (body === null) release();
  const whole = new Response(stream);
  const length = headers.get('content-length');
  return {
    // A compressed body is longer when it is read than its header says.
    size: length === null || headers.has('content-encoding') ? undefined : Number(length),
    contentType: headers.get('content-type') ?? undefined,
    etag: headers.get('etag')?.replace(/^"|"$/g, ''),
    stream,
    bytes: async () => new Uint8Array(await whole.arrayBuffer()),
    text: () => whole.text(),
    cancel: () => stream.cancel(),
  };
}

function released(body: ReadableStream<Uint8Array>, release: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(to) {
      try {
        const { done, value } = await reader.read();
        if (!done) return to.enqueue(value);
        release();
        to.close();
      } catch (error) {
        release();
        throw error;
      }
    },
    async cancel(reason) {
      release();
      await reader.cancel(reason);
    },
  });
}
