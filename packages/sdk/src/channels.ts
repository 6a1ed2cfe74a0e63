import { type Core, dataOf, idOf } from './core.js';
import { channelsLink, channelsList, channelsStatus, channelsUnlink, channelsUpdate } from './generated/sdk.gen.js';
import type {
  ChannelsLinkData,
  ChannelsLinkResponses,
  ChannelsListResponses,
  ChannelsStatusResponses,
  ChannelsUnlinkResponses,
  ChannelsUpdateData,
  ChannelsUpdateResponses,
} from './generated/types.gen.js';
import type { CallOptions } from './transport/transport.js';

export type Channel = ChannelsListResponses[200]['channels'][number];
export type Platform = ChannelsLinkData['path']['platform'];

/** Where people talk to the agent. */
export class Channels {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  async list(options?: CallOptions): Promise<Channel[]> {
    return (await dataOf(channelsList({ ...this.core.by(options), path: { id: this.agentId } }))).channels;
  }

  /** A code that a person sends to the bot as `/link CODE`. */
  link(platform: Platform, options?: CallOptions): Promise<ChannelsLinkResponses[200]> {
    return dataOf(channelsLink(this.call(platform, options)));
  }

  status(platform: Platform, options?: CallOptions): Promise<ChannelsStatusResponses[200]> {
    return dataOf(channelsStatus(this.call(platform, options)));
  }

  /** All people and rooms of the platform. */
  unlink(platform: Platform, options?: CallOptions): Promise<ChannelsUnlinkResponses[200]> {
    return dataOf(channelsUnlink(this.call(platform, options)));
  }

  update(
    bindingId: string,
    change: ChannelsUpdateData['body'],
    options?: CallOptions,
  ): Promise<ChannelsUpdateResponses[200]> {
    const path = { id: this.agentId, bindingId: idOf(bindingId, 'a binding') };
    return dataOf(channelsUpdate({ ...this.core.by(options), path, body: change }));
  }

  private call(platform: Platform, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.agentId, platform } };
  }
}
