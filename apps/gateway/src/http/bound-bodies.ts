import { RoostError } from '#lib/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendError } from './send-error.js';

/** A modem brings more; at this pace the 64 KiB that a stranger may send are here in a minute. */
const MIN_BYTES_PER_SECOND = 1_024;
const LOOK_EVERY_MS = 1_000;

/** What had come of a body when its present window began; absent until it is first looked at. */
interface Progress {
  bytes: number;
  since: number;
}

/**
 * Cuts off bodies that do not come: within each `windowMs` one has to end or to bring 1 KiB/s, so that a large upload
 * takes as long as it makes progress and a half-sent body holds its connection for seconds. Time in which we do not
 * read is not the sender's. Answered with REQUEST_TIMEOUT where nothing was answered yet.
 */
export function boundBodies(server: FastifyInstance, windowMs: number): void {
  // A request that is answered at once is forgotten at once: kept until a check, it would grow old in memory.
  const open = new Map<FastifyRequest, FastifyReply>();
  const progress = new WeakMap<FastifyRequest, Progress>();
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.raw.complete) open.set(request, reply);
    done();
  });
  server.addHook('onResponse', (request, _reply, done) => {
    if (request.raw.complete) open.delete(request);
    done();
  });
  const everyMs = Math.min(LOOK_EVERY_MS, windowMs / 4);
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // Of the time in which this process was held up nothing was read: nobody is judged by it.
    const wasHeldUp = now - lookedAt > 2 * everyMs;
    lookedAt = now;
    for (const [request, reply] of open) {
      if (request.raw.complete || request.raw.destroyed) open.delete(request);
      else if (wasHeldUp) progress.delete(request);
      else if (isStalled(request, progress, windowMs)) {
        open.delete(request);
        sendError(
          request,
          reply,
          new RoostError('REQUEST_TIMEOUT', 'the body came too slowly or not at all; send the request again'),
        );
      }
    }
  }, everyMs).unref();
  server.addHook('onClose', (_server, done) => {
    clearInterval(timer);
    done();
  });
}

function isStalled(request: FastifyRequest, progress: WeakMap<FastifyRequest, Progress>, windowMs: number): boolean {
  const { raw } = request;
  const now = performance.now();
  const of = progress.get(request);
  if (!of) {
    progress.set(request, { bytes: raw.socket.bytesRead, since: now });
    return false;
  }
  const isOurTurn = raw.readableLength >= raw.readableHighWaterMark || raw.socket.isPaused();
  const bytes = raw.socket.bytesRead;
  if (!isOurTurn && now - of.since < windowMs) return false;
  const isSlow = !isOurTurn && bytes - of.bytes < (windowMs / 1_000) * MIN_BYTES_PER_SECOND;
  of.bytes = bytes;
  of.since = now;
  return isSlow;
}
