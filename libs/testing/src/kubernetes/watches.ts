import type { ServerResponse } from 'node:http';
import type { Change, ObjectStore } from './object-store.js';
import { type ApiRequest, matches } from './requests.js';

export interface WatchOptions {
  /** The connection stays open, and nothing ever comes over it. */
  isSilent: boolean;
  bookmarkMs: number;
}

/** Streams changes since the asked version. Errors: 410 when the changes since then are no longer known. */
export function openWatch(
  store: ObjectStore,
  { plural, namespace, query }: ApiRequest,
  response: ServerResponse,
  { isSilent, bookmarkMs }: WatchOptions,
): void {
  const selector = query.get('labelSelector');
  const missed = store.since(plural, Number(query.get('resourceVersion') ?? 0));
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (isSilent) return;
  const send = ({ type, plural: changed, object }: Change) => {
    const { metadata } = object;
    if (changed !== plural || metadata.namespace !== namespace || !matches(selector, metadata.labels)) return;
    response.write(`${JSON.stringify({ type, object })}\n`);
  };
  for (const change of missed) send(change);
  store.listeners.add(send);
  const bookmark = setInterval(() => {
    const object = { kind: 'Bookmark', metadata: { resourceVersion: String(store.resourceVersion) } };
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }, bookmarkMs).unref();
  response.once('close', () => {
    store.listeners.delete(send);
    clearInterval(bookmark);
  });
}
