import { RoostError } from '#lib/contracts';
import type { Content } from '#lib/workspace-client';
import { type ChannelAdapter, type Connection, DeliveryError, type SendKey } from '../adapters/channel-adapter.js';
import { mayPass } from '../adapters/may-pass.js';

/** For so long a file waits for its agent to be started. */
const STOPPED_MS = 600_000;

export interface FileToSend {
  accountId: string;
  agentId: string;
  place: string;
  path: string;
  /** Words instead of the file are shown without markup. */
  isPlain?: boolean;
}

/** Uploads a file of the workspace; one that cannot be is named in a text instead. Errors: DeliveryError. */
export async function sendFile(
  content: Content,
  adapter: ChannelAdapter,
  connection: Connection,
  { accountId, agentId, place, path }: FileToSend,
  key: SendKey,
): Promise<string> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const instead = (reason: string) => {
    const [part = ''] = adapter.format(`I could not send the file "${name}": ${reason}`);
    return connection.send(place, part, key);
  };
  const refusal = (error: unknown) => refusalOf(error, key);
  const opened = await content.read(accountId, agentId, { path, source: 'file', offset: 0 }).catch(refusal);
  if (typeof opened === 'string') return instead(opened);
  const { about, bytes } = opened;
  let unread: RoostError | undefined;
  // A broken upload destroys the stream with an error of its own.
  bytes.once('error', (error: unknown) => (unread = error instanceof RoostError ? error : undefined));
  try {
    const size = about.size ?? 0;
    if (size > adapter.maxOutboundBytes)
      return await instead(`it has ${megabytes(size)}, and at most ${megabytes(adapter.maxOutboundBytes)} fit here.`);
    if (size === 0) return await instead('it is empty.');
    return await connection.sendFile(place, { name, sizeBytes: size, bytes }, key);
  } catch (error) {
    // Its upload was never whole, so nothing is shown.
    if (unread === undefined) throw error;
    return await instead(refusal(unread));
  } finally {
    bytes.destroy();
  }
}

/** Why there is nothing to send; throws what may pass. An agent that is not running may be started, but others wait behind it. */
function refusalOf(error: unknown, { since }: SendKey): string {
  if (!(error instanceof RoostError)) throw error;
  const isRecent = since === undefined || Date.now() - since.getTime() < STOPPED_MS;
  if (mayPass(error) || (error.code === 'AGENT_UNAVAILABLE' && isRecent))
    throw new DeliveryError('retry', error.message, 10_000);
  return error.code === 'NOT_FOUND' ? 'it is not there.' : error.message;
}

/** As people write sizes: `20 MB`. */
export function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2)} MB`;
}
