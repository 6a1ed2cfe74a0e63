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
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const common = { access: 'account', tag: 'Channels' } as const;
const PlatformParams = AgentParams.extend({ platform: ChatPlatform });
const BindingParams = AgentParams.extend({ bindingId: z.string() });
const ON_PLATFORM = `:platform(${PLATFORM_NAMES.join('|')})`;
type OnPlatform = Call<z.output<typeof PlatformParams>>;

const ofCall = ({ params }: OnPlatform) => ({ agentId: params.id, platform: params.platform });

/** spec: channels.md, "Linking" */
@Controller('v1/agent/:id')
export class ChannelsController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'channels',
    summary: 'List channels',
    params: AgentParams,
    response: listChannels.output,
    errors: ['NOT_FOUND'],
  })
  list({ params }: Call<z.output<typeof AgentParams>>) {
    return this.bus.request(listChannels, { agentId: params.id });
  }

  @Endpoint({
    ...common,
    method: 'PATCH',
    path: 'channels/:bindingId',
    summary: 'Change a channel',
    params: BindingParams,
    body: BindingChange,
    response: ChannelBinding,
    errors: ['NOT_FOUND'],
  })
  update({ params, body }: Call<z.output<typeof BindingParams>, unknown, z.output<typeof BindingChange>>) {
    if (!z.uuid().safeParse(params.bindingId).success) {
      throw new RoostError('NOT_FOUND', 'this agent has no such channel');
    }
    return this.bus.request(updateBinding, { agentId: params.id, bindingId: params.bindingId, ...body });
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: `${ON_PLATFORM}/link`,
    summary: 'Get a code to link a chat account',
    params: PlatformParams,
    response: createLinkCode.output,
    errors: ['NOT_FOUND', 'CHANNEL_NOT_CONFIGURED'],
  })
  link(call: OnPlatform) {
    return this.bus.request(createLinkCode, ofCall(call));
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: `${ON_PLATFORM}/status`,
    summary: 'See who is linked',
    params: PlatformParams,
    response: getChannelStatus.output,
    errors: ['NOT_FOUND'],
  })
  status(call: OnPlatform) {
    return this.bus.request(getChannelStatus, ofCall(call));
  }

  @Endpoint({
    ...common,
    method: 'DELETE',
    path: `${ON_PLATFORM}/unlink`,
    summary: 'Unlink chat accounts',
    params: PlatformParams,
    response: unlinkChannel.output,
    errors: ['NOT_FOUND'],
  })
  unlink(call: OnPlatform) {
    return this.bus.request(unlinkChannel, ofCall(call));
  }
}
