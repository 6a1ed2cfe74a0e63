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
