import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountCredentials, type BusAccount } from '#lib/nats-auth';
import { credsAuthenticator } from '#lib/nats-auth/keys';

export interface NatsWatchOptions {
  url: string;
  account: BusAccount;
  /** On the disk of the streams. */
  folder: string;
  /** Ends the server, which is then started again. */
  kill(): void;
  log(line: string): void;
  timing?: WatchTiming | undefined;
}

export interface WatchTiming {
  everyMs: number;
  answerMs: number;
  /** So many questions in a row without an answer. */
  failures: number;
}

const defaultTiming: WatchTiming = { everyMs: 1_000, answerMs: 5_000, failures: 3 };
/** With less it would meet the full disk again, and may not start at all. */
const minFreeBytes = 16 * 2 ** 20;

/**
 * Ends a server that runs and no longer answers. After a write to a full disk nats-server holds each request to that stream
 * for good (2.9), or has no streams until it is started again (2.10).
 */
export class NatsWatch {
  private readonly ended = new AbortController();
  private readonly running: Promise<void>;
  private readonly timing: WatchTiming;
  private connection: NatsConnection | undefined;

  constructor(private readonly options: NatsWatchOptions) {
    this.timing = options.timing ?? defaultTiming;
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.connection?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    const { everyMs, failures } = this.timing;
    const { signal } = this.ended;
    for (let failed = 0; !signal.aborted;) {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) break;
      failed = (await this.isSilent()) ? failed + 1 : 0;
      if (signal.aborted || failed < failures) continue;
      failed = 0;
      this.restart();
    }
    await this.connection?.close();
  }

  private restart(): void {
    const { folder, kill, log } = this.options;
    try {
      const { bavail, bsize } = statfsSync(folder);
      if (bavail * bsize < minFreeBytes) return log('nats-server does not answer: its disk is full');
      log('nats-server does not answer, as after its disk was full; ending it');
      kill();
    } catch (error) {
      // It ended just now, or its folder is gone.
      log(`nats-server does not answer and could not be ended: ${String(error)}`);
    }
  }

  /** Asks for something of each stream. A server that is not there, or only starting, is not silent. */
  private async isSilent(): Promise<boolean> {
    try {
      this.connection ??= await this.connect();
      await this.connection.request('$JS.API.STREAM.LIST', '', { timeout: this.timing.answerMs });
      return false;
    } catch (error) {
      const lost = this.connection;
      this.connection = undefined;
      await lost?.close();
      return error instanceof errors.TimeoutError || (error instanceof errors.RequestError && error.isNoResponders());
    }
  }

  private async connect(): Promise<NatsConnection> {
    const { url, account } = this.options;
    const credentials = await accountCredentials(account.seed, 'launcher');
    const authenticator = credsAuthenticator(credentials);
    return connect({ servers: url, authenticator, reconnect: false, timeout: this.timing.answerMs });
  }
}
