import { Bus, LOGGER } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { existingAgents } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { KEYS_CHANGED } from '../accounts/api-keys.js';
import { ACCESS_CHANGED } from '../accounts/login-sessions.js';
import type { AccessEnd } from './access-ends.js';
import { endsOf, type Holder } from './credentials.repository.js';

/** With the time of a check itself, what was revoked ends within 2 s even if every hint is lost. */
const CHECK_EVERY_MS = 1_000;
/** Hints may come as fast as somebody signs in and out: they cost at most this many checks. */
const CHECK_AGAIN_AFTER_MS = 100;
/** Agents in one request to lifecycle. */
const MAX_AGENTS = 1_000;
const AGENTS_TIMEOUT_MS = 2_000;

export interface OpenRequest extends Holder {
  agentId: string | undefined;
  /** Called once. */
  end(why: AccessEnd): void;
}

/**
 * Requests that take long: streams of events, waits, uploads, downloads. A request is let in once; these are looked up
 * again while they last, and ended when their key, sign-in, account or agent is gone. Hints of other gateways make that
 * immediate; the check each second makes it sure.
 */
@Injectable()
export class OpenRequests implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly open = new Set<OpenRequest>();
  private timer: NodeJS.Timeout | undefined;
  private readonly checks = [
    new RepeatedCheck(() => this.checkAccess(), this.report('access')),
    new RepeatedCheck(() => this.checkAgents(), this.report('agents')),
  ];

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const [access, agents] = this.checks;
    this.bus.connection.subscribe(KEYS_CHANGED, { callback: () => access?.soon() });
    this.bus.connection.subscribe(ACCESS_CHANGED, { callback: () => access?.soon() });
    this.bus.connection.subscribe('events.lifecycle.agent.deleted', { callback: () => agents?.soon() });
    this.timer = setInterval(() => {
      for (const check of this.checks) check.soon();
    }, CHECK_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    for (const check of this.checks) check.stop();
  }

  /** Gives the function that ends the watch. */
  watch(request: OpenRequest): () => void {
    this.open.add(request);
    return () => this.open.delete(request);
  }

  private async checkAccess(): Promise<void> {
    const requests = [...this.open];
    if (requests.length === 0) return;
    const ends = await endsOf(this.database, requests);
    for (const [index, why] of ends) this.end(requests[index], why);
  }

  private async checkAgents(): Promise<void> {
    const requests = [...this.open].filter(({ agentId }) => agentId !== undefined);
    const agentIds = [...new Set(requests.map(({ agentId }) => agentId ?? ''))];
    for (let from = 0; from < agentIds.length; from += MAX_AGENTS) {
      const asked = new Set(agentIds.slice(from, from + MAX_AGENTS));
      const found = await this.bus.request(
        existingAgents,
        { agentIds: [...asked] },
        ownCall('open_requests', AGENTS_TIMEOUT_MS),
      );
      const existing = new Set(found.agentIds);
      for (const request of requests) {
        const { agentId = '' } = request;
        if (asked.has(agentId) && !existing.has(agentId)) this.end(request, 'agent_deleted');
      }
    }
  }

  private end(request: OpenRequest | undefined, why: AccessEnd): void {
    if (request && this.open.delete(request)) request.end(why);
  }

  /** Checked again in a second; nobody is cut off because a server is away. Reported once until it works again. */
  private report(what: string) {
    let isReported = false;
    return (error: unknown): void => {
      if (error !== undefined && !isReported)
        this.logger.warn({ err: error, what }, 'open requests could not be looked up');
      isReported = error !== undefined;
    };
  }
}

/** Runs a check whenever asked, one at a time, and not more often than every `CHECK_AGAIN_AFTER_MS`. */
class RepeatedCheck {
  private isWanted = false;
  private isRunning = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly check: () => Promise<void>,
    private readonly report: (error: unknown) => void,
  ) {}

  soon(): void {
    this.isWanted = true;
    if (this.isRunning) return;
    this.isRunning = true;
    this.isWanted = false;
    void this.check()
      .then(() => this.report(undefined), this.report)
      .finally(() => {
        this.timer = setTimeout(() => {
          this.isRunning = false;
          if (this.isWanted) this.soon();
        }, CHECK_AGAIN_AFTER_MS).unref();
      });
  }

  stop(): void {
    clearTimeout(this.timer);
    this.isRunning = true;
  }
}
