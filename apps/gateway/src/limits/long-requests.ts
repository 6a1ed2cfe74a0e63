import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { FairSlots } from '#lib/fair-slots';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.js';
import { endpointOf } from '../http/endpoint.js';
import { onClose } from '../http/on-close.js';
import { isRead } from '../http/request.js';

/** Smaller bodies arrive in one or two packets, or within the time that a slow body has. */
const LARGE_BODY_BYTES = 64 * 1024;
/** A body that is parsed is in memory as a whole; one below this costs no more than a streamed one. */
const LARGE_JSON_BYTES = 1024 ** 2;
/** All accounts together have so many times what one has. */
const ACCOUNTS = 4;
const RETRY_AFTER_SECONDS = 1;

/** `wait`: a long poll. `transfer`: an upload or a download. `large_json`: a large body that is held in memory. */
type Kind = 'wait' | 'transfer' | 'large_json';

const NAMES: Record<Kind, string> = {
  wait: 'requests with `wait`',
  transfer: 'uploads and downloads',
  large_json: 'bodies over 1 MiB that are no streams',
};

/**
 * Bounds, per account and process, the requests at once that take long by what the caller asks for. Decided before the
 * body is read, given back when the response closes. Event streams have a quota of their own.
 */
@Injectable()
export class LongRequests {
  private readonly limits: Record<Kind, number>;
  private readonly slots: Record<Kind, FairSlots>;

  constructor(
    @Inject(CONFIG)
    config: Pick<GatewayConfig, 'ROOST_ACCOUNT_WAITS' | 'ROOST_ACCOUNT_TRANSFERS' | 'ROOST_ACCOUNT_LARGE_BODIES'>,
  ) {
    this.limits = {
      wait: config.ROOST_ACCOUNT_WAITS,
      transfer: config.ROOST_ACCOUNT_TRANSFERS,
      large_json: config.ROOST_ACCOUNT_LARGE_BODIES,
    };
    const slotsOf = (perAccount: number) => new FairSlots({ slots: perAccount * ACCOUNTS, perAccount, maxWaiting: 0 });
    this.slots = {
      wait: slotsOf(this.limits.wait),
      transfer: slotsOf(this.limits.transfer),
      large_json: slotsOf(this.limits.large_json),
    };
  }

  /** Takes a slot for the request if it is one that takes long. Errors: RATE_LIMITED. */
  admit(accountId: string, request: FastifyRequest, reply: FastifyReply): void {
    const kind = kindOf(request);
    if (!kind) return;
    const release = this.slots[kind].tryAcquire(accountId);
    if (!release) throw this.refusal(kind);
    onClose(reply.raw, release);
  }

  private refusal(kind: Kind): RoostError {
    const limit = this.limits[kind];
    return new RoostError(
      'RATE_LIMITED',
      `too many ${NAMES[kind]} are open at once: an account may have ${limit}, fewer while others have many; try again when one has ended`,
      [{ reason: 'too_many_open', kind, limit }],
      RETRY_AFTER_SECONDS,
    );
  }
}

function kindOf(request: FastifyRequest): Kind | undefined {
  const { headers, method } = request;
  if (isRead(method)) {
    if (endpointOf(request.routeOptions)?.isDownload) return 'transfer';
    return Number((request.query as { wait?: unknown }).wait) > 0 ? 'wait' : undefined;
  }
  const bytes = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  const isStream =
    endpointOf(request.routeOptions)?.accepts?.includes('stream') === true &&
    headers['content-type']?.startsWith('application/json') !== true;
  if (!isStream && bytes > LARGE_JSON_BYTES) return 'large_json';
  return bytes > LARGE_BODY_BYTES ? 'transfer' : undefined;
}
