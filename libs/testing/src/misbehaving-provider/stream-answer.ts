import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame, Misbehaviour, StreamPosition } from './answer.js';
import { Refused, sse, type Wire } from './wire.js';

/**
 * Streams an answer's frames, with what is to go wrong in between. Resolves when nothing more is sent, with the frames that
 * were.
 */
export async function streamAnswer(
  response: ServerResponse,
  wire: Wire,
  frames: Frame[],
  misbehaviour: Misbehaviour | undefined,
): Promise<Frame[]> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
  const breaksAt = misbehaviour && 'at' in misbehaviour ? positionOf(frames, misbehaviour.at) : frames.length;
  for (const [index, frame] of frames.entries()) {
    if (index === breaksAt && misbehaviour && !(await goWrong(response, wire, misbehaviour)))
      return frames.slice(0, index);
    if (misbehaviour?.kind === 'drip') await sleep(misbehaviour.pauseMs);
    const text = misbehaviour?.kind === 'rewritten' ? misbehaviour.rewrite(frame.text) : frame.text;
    if (!response.write(text)) await drained(response);
    if (response.destroyed) return frames.slice(0, index);
  }
  response.end();
  return frames;
}

/** Gives whether the stream goes on after it. */
async function goWrong(response: ServerResponse, wire: Wire, misbehaviour: Misbehaviour): Promise<boolean> {
  switch (misbehaviour.kind) {
    case 'break':
      // What was written has to arrive before the connection is reset.
      await sleep(10);
      response.destroy();
      return false;
    case 'cut':
      response.end();
      return false;
    case 'stall':
      return false;
    case 'garbage':
      response.write('data: {"choices": [<html>\u0000 not JSON\n\n');
      return true;
    case 'error-event':
      response.end(errorEvent(wire, misbehaviour));
      return false;
    default:
      return true;
  }
}

function errorEvent(wire: Wire, { final, sent }: Extract<Misbehaviour, { kind: 'error-event' }>): string {
  if (sent) return sse(sent);
  return wire.errorEvent(
    final
      ? new Refused(400, 'the request is not valid', finalCode(wire))
      : new Refused(wire.name === 'anthropic' ? 529 : 503, 'Overloaded'),
  );
}

const finalCode = ({ name }: Wire) => (name.startsWith('openai') ? 'invalid_request_error' : undefined);

/** The index of the frame before which it happens: in the middle of the text, or of the calls. */
function positionOf(frames: Frame[], position: StreamPosition): number {
  if (position === 'headers') return 0;
  const of = frames.flatMap(({ part }, index) => (part === position ? [index] : []));
  if (of.length === 0) return frames.length - 1;
  return of[Math.ceil(of.length / 2)] ?? of[0] ?? 0;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
