import type { ServerResponse } from 'node:http';
import type { Change, ObjectStore } from './object-store.js';
import { ApiRefusal, resources } from './objects.js';
import { type ApiRequest, matches } from './requests.js';

export interface WatchOptions {
  /** The connection stays open, and nothing ever comes over it. */
  isSilent: boolean;
  bookmarkMs: number;
}

/**
 * Streams changes since the asked version, for as long as the request wants. Where the changes since then are no longer
 * known the stream begins, and ends, with an ERROR that holds the 410: the status of the answer is 200 by then.
 */
export function openWatch(
  store: ObjectStore,
  { plural, namespace, query }: ApiRequest,
  response: ServerResponse,
  { isSilent, bookmarkMs }: WatchOptions,
): void {
  const selector = query.get('labelSelector');
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (isSilent) return;
  const write = (type: string, object: object) => response.write(`${JSON.stringify({ type, object })}\n`);
  let missed: Change[];
  try {
    missed = store.since(plural, Number(query.get('resourceVersion') ?? 0));
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    write('ERROR', error.body);
    return void response.end();
  }
  const fits = (object: Change['object'] | undefined) => object && matches(selector, object.metadata.labels);
  const send = ({ type, plural: changed, object, before }: Change) => {
    if (changed !== plural || object.metadata.namespace !== namespace) return;
    // What no longer fits the selector is gone for this watch, and what begins to is new to it.
    if (type !== 'MODIFIED') return void (fits(object) && write(type, object));
    if (fits(object)) write(fits(before) ? 'MODIFIED' : 'ADDED', object);
    else if (fits(before)) write('DELETED', object);
  };
  for (const change of missed) send(change);
  store.listeners.add(send);
  const { kind, group, version } = resources.find((resource) => resource.plural === plural) ?? resources[0];
  const apiVersion = group ? `${group}/${version}` : version;
  const bookmark = setInterval(() => {
    const metadata = { resourceVersion: String(store.resourceVersion), creationTimestamp: null };
    if (query.get('allowWatchBookmarks') === 'true') write('BOOKMARK', { kind, apiVersion, metadata });
  }, bookmarkMs).unref();
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const over = seconds > 0 ? setTimeout(() => response.end(), seconds * 1_000).unref() : undefined;
  response.once('close', () => {
    store.listeners.delete(send);
    clearInterval(bookmark);
    clearTimeout(over);
  });
}
