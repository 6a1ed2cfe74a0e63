import { Bus } from '#lib/bus';
import {
  BindingChange,
  ChannelBinding,
  ChatPlatform,
  createLinkCode,
  getChannelStatus,
  listChannels,
  PLATFORM_NAMES,
  RoostError,
  unlinkChannel,
  updateBinding,
} from '#lib/contracts';
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const PlatformParams = AgentParams.extend({ platform: ChatPlatform.describe('The chat platform.') });
type PlatformParams = z.output<typeof PlatformParams>;
const BindingParams = AgentParams.extend({
  bindingId: z.string().describe('The binding’s id, from the list of channels.'),
});
type BindingParams = z.output<typeof BindingParams>;
const ON_PLATFORM = `:platform(${PLATFORM_NAMES.join('|')})`;

/** spec: channels.md, "Linking" */
@Tag('Channels')
@Controller('v1/agent/:id')
export class ChannelsController {
  constructor(private readonly bus: Bus) {}

  @Get('channels')
  @Endpoint({
    access: 'account',
    summary: 'List channels',
    description:
      'Every way to talk to the agent: the API, and of each chat platform who is linked and how the bot is doing.',
    responseDescription: 'The channels.',
    response: listChannels.output,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(listChannels, { agentId: id });
  }

  @Patch('channels/:bindingId')
  @Endpoint({
    access: 'account',
    summary: 'Change a channel',
    description:
      'Of one linked person: how their messages join the queue, and what of a group’s messages goes to the agent.',
    responseDescription: 'The binding after the change.',
    response: ChannelBinding,
    errors: ['NOT_FOUND'],
  })
  update(@Param(BindingParams) { id, bindingId }: BindingParams, @Body(BindingChange) body: BindingChange) {
    if (!z.uuid().safeParse(bindingId).success) {
      throw new RoostError('NOT_FOUND', 'this agent has no such channel');
    }
    return this.bus.request(updateBinding, { agentId: id, bindingId, ...body });
  }

  @Post(`${ON_PLATFORM}/link`)
  @Endpoint({
    access: 'account',
    summary: 'Get a code to link a chat account',
    description:
      'The person sends `/link CODE` to the bot; from then on they talk to this agent. A new code makes the one before void. 409 `CHANNEL_NOT_CONFIGURED`: there is no bot, or its platform refuses it.',
    responseDescription: 'The code.',
    response: createLinkCode.output,
    errors: ['NOT_FOUND', 'CHANNEL_NOT_CONFIGURED'],
  })
  link(@Param(PlatformParams) { id, platform }: PlatformParams) {
    return this.bus.request(createLinkCode, { agentId: id, platform });
  }

  @Get(`${ON_PLATFORM}/status`)
  @Endpoint({
    access: 'account',
    summary: 'See who is linked',
    description: 'On one platform, with how the bot is doing there.',
    responseDescription: 'Who is linked.',
    response: getChannelStatus.output,
    errors: ['NOT_FOUND'],
  })
  status(@Param(PlatformParams) { id, platform }: PlatformParams) {
    return this.bus.request(getChannelStatus, { agentId: id, platform });
  }

  @Delete(`${ON_PLATFORM}/unlink`)
  @Endpoint({
    access: 'account',
    summary: 'Unlink chat accounts',
    description:
      'All of this platform. Nothing is sent there from now on; the history stays. 404 when nobody is linked.',
    responseDescription: 'They are unlinked.',
    response: unlinkChannel.output,
    errors: ['NOT_FOUND'],
  })
  unlink(@Param(PlatformParams) { id, platform }: PlatformParams) {
    return this.bus.request(unlinkChannel, { agentId: id, platform });
  }
}
