import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  type ChatPlatform,
  createLinkCode,
  getChannelStatus,
  listChannels,
  receiveChannelWebhook,
  unlinkChannel,
  updateBinding,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ChannelsService } from './channels.service.js';

interface OnPlatform {
  agentId: string;
  platform: ChatPlatform;
}

/** spec: channels.md, "Linking" */
@Controller()
export class ChannelsController {
  constructor(private readonly channels: ChannelsService) {}

  @Handles(createLinkCode)
  createLinkCode({ agentId, platform }: OnPlatform, context: CallContext) {
    return this.channels.createLinkCode(accountOf(context), agentId, platform);
  }

  @Handles(getChannelStatus)
  status({ agentId, platform }: OnPlatform, context: CallContext) {
    return this.channels.status(accountOf(context), agentId, platform);
  }

  @Handles(unlinkChannel)
  unlink({ agentId, platform }: OnPlatform, context: CallContext) {
    return this.channels.unlink(accountOf(context), agentId, platform);
  }

  @Handles(updateBinding)
  update({ agentId, bindingId, ...change }: z.output<typeof updateBinding.input>, context: CallContext) {
    return this.channels.updateBinding({ accountId: accountOf(context), agentId, id: bindingId }, change);
  }

  @Handles(receiveChannelWebhook)
  receive(posted: z.output<typeof receiveChannelWebhook.input>) {
    return this.channels.receive(posted);
  }

  @Handles(listChannels)
  list({ agentId }: { agentId: string }, context: CallContext) {
    return this.channels.list(accountOf(context), agentId);
  }
}
