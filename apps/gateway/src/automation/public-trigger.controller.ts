import { Bus } from '#lib/bus';
import { FiredTrigger, fireTrigger } from '#lib/contracts';
import { Controller, Post, RawBody, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { PublicTriggerParams } from './params.js';

/** Where webhooks come in: no account, the signature is over the raw bytes. spec: automation.md, "Triggers" */
@Tag('Triggers')
@Controller('v1/webhooks/triggers')
export class PublicTriggerController {
  constructor(private readonly bus: Bus) {}

  @Post(':triggerId')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Fire a trigger',
    description:
      'For other systems. It needs no account: the request proves itself by one of `X-Webhook-Secret` (the secret), `X-Hub-Signature-256` (GitHub: `sha256=` and the hex HMAC-SHA256 of the raw body by the secret) or `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard Webhooks; the key is what is base64 after `whs_`). JSON, or a form, whose fields are then the payload; up to 1 MiB. The same delivery sent again (its signed id or body, or `X-GitHub-Delivery`, `webhook-id` or `Idempotency-Key` with a plain secret) gives the first result and no second message. 60 a minute with bursts of 120 for each trigger. 401 a wrong proof or none; 409 the trigger is disabled; 503 the agent is stopped or in error.',
    responseDescription: 'The message is in the agent’s queue.',
    example: { issue: { title: 'The door squeaks' } },
    accepts: ['raw'],
    response: FiredTrigger,
    status: 202,
    errors: [
      'UNAUTHORIZED',
      'NOT_FOUND',
      'CONFLICT',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'RATE_LIMITED',
      'AGENT_UNAVAILABLE',
    ],
  })
  fire(
    @Param(PublicTriggerParams) { triggerId }: PublicTriggerParams,
    @RawBody() rawBody: Buffer | undefined,
    @Req() request: FastifyRequest,
  ) {
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
    );
    return this.bus.request(fireTrigger, {
      triggerId,
      headers: Object.fromEntries(headers),
      bodyBase64: (rawBody ?? Buffer.alloc(0)).toString('base64'),
    });
  }
}
