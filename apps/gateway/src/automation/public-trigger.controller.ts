import { Bus } from '#lib/bus';
import { FiredTrigger, fireTrigger } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { PublicTriggerParams } from './params.js';

/** Where webhooks come in: no account, the proof is over the raw bytes. spec: automation.md, "Triggers" */
@Controller('v1/webhooks/triggers')
export class PublicTriggerController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    method: 'POST',
    path: ':triggerId',
    access: 'public',
    tenant: 'proof',
    tag: 'Triggers',
    summary: 'Fire a trigger',
    params: PublicTriggerParams,
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
  fire({ params, rawBody, request }: Call<z.output<typeof PublicTriggerParams>>) {
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
    );
    return this.bus.request(fireTrigger, {
      triggerId: params.triggerId,
      headers: Object.fromEntries(headers),
      bodyBase64: (rawBody ?? Buffer.alloc(0)).toString('base64'),
    });
  }
}
