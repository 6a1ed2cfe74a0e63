import { LogLevel, WebClient } from '@slack/web-api';
import type { ReadableStream } from 'node:stream/web';
import { Readable } from 'node:stream';
import { DeliveryError } from '../adapters/channel-adapter.js';

const CALL_TIMEOUT_MS = 20_000;
const FILE_TIMEOUT_MS = 300_000;

const nothing = () => undefined;

/** The SDKs log requests and their contents; what matters of it arrives as errors and states. */
export const silentLogger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  setName: nothing,
  getLevel: () => LogLevel.ERROR,
};

/** Slack's Web API for one bot. */
export interface SlackClients {
  /** Repeats what fails and waits for 429s in its own queue: for calls that may be repeated. */
  steady: WebClient;
  /** Tries once: a message that got no answer may have been shown. */
  once: WebClient;
}

export function slackClients(token: string, slackApiUrl: string): SlackClients {
  const common = { slackApiUrl, timeout: CALL_TIMEOUT_MS, logger: silentLogger, allowAbsoluteUrls: false };
  return {
    steady: new WebClient(token, { ...common, retryConfig: { retries: 3, minTimeout: 500, maxTimeout: 5_000 } }),
    once: new WebClient(token, { ...common, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true }),
  };
}

/**
 * Addresses that come in answers and events are followed only to Slack, or to the server that stands for it: the
 * bot's token goes along.
 */
function admit(address: string, apiUrl: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isSlack = url?.protocol === 'https:' && (url.hostname === 'slack.com' || url.hostname.endsWith('.slack.com'));
  if (!url || !(isSlack || url.origin === new URL(apiUrl).origin))
    throw new DeliveryError('failed', 'its address is not one of Slack');
  return url;
}

/** Fetches a private file. */
export async function fetchFile(address: string, apiUrl: string, token: string): Promise<Readable> {
  const answer = await fetch(admit(address, apiUrl), {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
  }).catch(() => undefined);
  if (answer?.ok && answer.body) return Readable.fromWeb(answer.body as ReadableStream<Uint8Array>);
  throw new DeliveryError(
    outcomeOf(answer),
    `Slack did not give it (${answer ? `status ${answer.status}` : 'no answer'})`,
  );
}

/** What is refused now is refused again, but for what says to wait. */
function outcomeOf(answer: Response | undefined): 'failed' | 'retry' {
  const isRefused = answer !== undefined && answer.status < 500 && answer.status !== 408 && answer.status !== 429;
  return isRefused ? 'failed' : 'retry';
}

/** Puts bytes at the address that `files.getUploadURLExternal` gave. Nothing is shown by that. */
export async function putFile(address: string, apiUrl: string, bytes: Readable, sizeBytes: number): Promise<void> {
  const answer = await fetch(admit(address, apiUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
    body: Readable.toWeb(bytes) as ReadableStream<Uint8Array>,
    duplex: 'half',
    redirect: 'error',
    signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
  }).catch(() => undefined);
  if (answer?.ok) return;
  throw new DeliveryError(outcomeOf(answer), `Slack did not take the file (${answer?.status ?? 'no answer'})`, 2_000);
}

/** Answers a slash command, seen by who gave it alone. */
export async function respond(address: string, apiUrl: string, text: string): Promise<void> {
  const answer = await fetch(admit(address, apiUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ response_type: 'ephemeral', text }),
    redirect: 'error',
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  }).catch(() => undefined);
  if (!answer?.ok) throw new DeliveryError('failed', 'Slack did not take the answer to a slash command');
}
