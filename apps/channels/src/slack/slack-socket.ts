import { SocketModeClient } from '@slack/socket-mode';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ConnectionEvents } from '../adapters/channel-adapter.js';
import { rejectionOf, retryAfterMsOf } from './slack-outcome.js';
import { silentLogger } from './slack-client.js';

/** A socket that lives for less counts as a failure, so that a server which hangs up at once is not stormed. */
const STABLE_MS = 5_000;
const RETRY_MS = [100, 500, 1_000, 2_000, 5_000, 15_000, 30_000];

const Envelope = z.looseObject({ type: z.string(), body: z.unknown() });

/**
 * Socket Mode by Slack's own client: https://docs.slack.dev/apis/events-api/using-socket-mode. It is restarted here and
 * not by itself, because a refused token would end the process from within its own reconnect. An envelope is
 * acknowledged when `onEnvelope` has it safe; what was not is delivered again by Slack on the next socket.
 */
export class SlackSocket {
  private readonly stop = new AbortController();
  private client: SocketModeClient | undefined;

  constructor(
    private readonly apiUrl: string,
    private readonly appToken: string,
    private readonly onEnvelope: (type: string, body: unknown) => Promise<void>,
    private readonly events: Pick<ConnectionEvents, 'onState'>,
  ) {
    void this.run();
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stop.signal.aborted) {
      let openedAt: number | undefined;
      const failed = await this.oneSocket(() => {
        openedAt = Date.now();
        this.events.onState({ health: 'connected' });
      }).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (this.stop.signal.aborted) return;
      const reason = failed && rejectionOf(failed.error, 'app_token');
      if (reason !== undefined) {
        this.events.onState({ health: 'failed', reason });
        return;
      }
      // Slack asks for a new socket every few hours and when it moves: that is no failure.
      if (openedAt !== undefined && Date.now() - openedAt > STABLE_MS) failures = 0;
      if (failed || failures > 0) this.events.onState({ health: 'connecting' });
      const waitMs = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 30_000;
      await sleep((failed && retryAfterMsOf(failed.error)) ?? waitMs, undefined, { signal: this.stop.signal }).catch(
        () => undefined,
      );
    }
  }

  /** Resolves when the socket is over; throws when it did not come about. */
  private async oneSocket(onOpen: () => void): Promise<void> {
    const client = new SocketModeClient({
      appToken: this.appToken,
      autoReconnectEnabled: false,
      logger: silentLogger,
      clientOptions: {
        slackApiUrl: this.apiUrl,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        timeout: 20_000,
      },
    });
    this.client = client;
    const over = new Promise<void>((resolve) => client.once('disconnected', () => resolve()));
    client.on('slack_event', (envelope: { ack: () => Promise<void> }) => {
      // Thrown here it would end the process: Slack's client awaits nobody who listens.
      const known = Envelope.safeParse(envelope);
      if (!known.success) return;
      this.onEnvelope(known.data.type, known.data.body)
        .then(() => envelope.ack())
        // Not acknowledged, it comes again.
        .catch(() => undefined);
    });
    await client.start();
    onOpen();
    await over;
  }

  async close(): Promise<void> {
    this.stop.abort();
    // The double may never answer the close frame; what comes after is not listened to any more.
    await Promise.race([this.client?.disconnect(), sleep(1_000, undefined, { ref: false })]);
    this.client?.removeAllListeners();
  }
}
