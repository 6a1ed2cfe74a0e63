import { Bus } from '#lib/bus';
import { ChatPlatform, type ErrorCode, PLATFORM_NAMES, receiveChannelWebhook } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint, HANDLED } from '../http/endpoint.js';

const common = {
  method: 'POST',
  access: 'public',
  tenant: 'proof',
  tag: 'Channels',
  accepts: ['raw'],
} as const;
const errors: ErrorCode[] = ['UNAUTHORIZED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'SERVICE_UNAVAILABLE'];
const SlackParams = z.object({ agentId: z.string().min(1).max(100) });
const BotParams = z.object({ platform: ChatPlatform, botId: z.string().min(1).max(100) });

/** Where chat platforms post events: no account, the proof is a signature or a secret. spec: channels.md, "Transports" */
@Controller('v1/channels')
export class ChannelWebhooksController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    errors,
    path: 'slack/:agentId/events',
    summary: "Events, slash commands of an agent's Slack app (`shared` for the platform's)",
    params: SlackParams,
  })
  slack(call: Call<z.output<typeof SlackParams>>) {
    return this.forward('slack', call.params.agentId, call);
  }

  @Endpoint({
    ...common,
    errors,
    path: `:platform(${PLATFORM_NAMES.join('|')})/:botId/webhook`,
    summary: "A bot's updates, as Telegram posts them",
    params: BotParams,
  })
  webhook(call: Call<z.output<typeof BotParams>>) {
    return this.forward(call.params.platform, call.params.botId, call);
  }

  private async forward(platform: ChatPlatform, recipient: string, { request, rawBody, reply }: Call) {
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
    await reply.status(answer.status).header('content-type', answer.contentType).send(answer.body);
    return HANDLED;
  }
}
