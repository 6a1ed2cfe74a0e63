import { Bus } from '#lib/bus';
import { ChatPlatform, type ErrorCode, PLATFORM_NAMES, receiveChannelWebhook } from '#lib/contracts';
import { Controller, Post, RawBody, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

const errors: ErrorCode[] = ['UNAUTHORIZED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'SERVICE_UNAVAILABLE'];
const SlackParams = z.object({
  agentId: z.string().min(1).max(100).describe('The agent’s id, or `shared` for the platform’s app.'),
});
type SlackParams = z.output<typeof SlackParams>;
const BotParams = z.object({
  platform: ChatPlatform.describe('The chat platform.'),
  botId: z.string().min(1).max(100).describe('The bot’s id there.'),
});
type BotParams = z.output<typeof BotParams>;

/** Where chat platforms post events: no account, a signature or a secret authenticates. spec: channels.md, "Transports" */
@Tag('Channels')
@Controller('v1/channels')
export class ChannelWebhooksController {
  constructor(private readonly bus: Bus) {}

  @Post('slack/:agentId/events')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: "Events, slash commands of an agent's Slack app (`shared` for the platform's)",
    description:
      'For Slack, where an app does not use Socket Mode: the request URL of its events and commands. Slack’s signature over the raw body is checked, five minutes of skew allowed.',
    responseDescription: 'What Slack expects, in its form.',
    accepts: ['raw'],
    errors,
  })
  slack(
    @Param(SlackParams) { agentId }: SlackParams,
    @RawBody() rawBody: Buffer | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.forward({ platform: 'slack', recipient: agentId, rawBody }, request, reply);
  }

  @Post(`:platform(${PLATFORM_NAMES.join('|')})/:botId/webhook`)
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: "A bot's updates, as Telegram posts them",
    description:
      'For Telegram, which gets this address by itself when `PUBLIC_URL` is set. Its secret token is checked.',
    responseDescription: 'What the platform expects, in its form.',
    accepts: ['raw'],
    errors,
  })
  webhook(
    @Param(BotParams) { platform, botId }: BotParams,
    @RawBody() rawBody: Buffer | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.forward({ platform, recipient: botId, rawBody }, request, reply);
  }

  private async forward(
    { platform, recipient, rawBody }: { platform: ChatPlatform; recipient: string; rawBody: Buffer | undefined },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
    );
    const answer = await this.bus.request(receiveChannelWebhook, {
      platform,
      recipient,
      headers: Object.fromEntries(headers),
      bodyBase64: (rawBody ?? Buffer.alloc(0)).toString('base64'),
    });
    // The platform reads this answer, so it is in the platform's form and not in the API's.
    void reply.status(answer.status).header('content-type', answer.contentType).send(answer.body);
  }
}
