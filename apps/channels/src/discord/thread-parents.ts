import type { REST } from '@discordjs/rest';
import { type APIChannel, ChannelType, Routes } from 'discord-api-types/v10';
import { channelOf } from './discord-message.js';

/** Channels that are remembered; the oldest are forgotten. */
const MAX_CHANNELS = 1_000;
const THREADS: ChannelType[] = [ChannelType.PublicThread, ChannelType.PrivateThread, ChannelType.AnnouncementThread];

/** The channels of threads: asked for while there is a thread, since nobody can say it of one that was deleted. */
export class ThreadParents {
  private readonly known = new Map<string, string | undefined>();

  constructor(private readonly rest: REST) {}

  async learn(place: string): Promise<void> {
    if (this.known.has(place)) return;
    const [oldest] = this.known.keys();
    if (this.known.size >= MAX_CHANNELS && oldest !== undefined) this.known.delete(oldest);
    this.known.set(place, undefined);
    try {
      const channel = (await this.rest.get(Routes.channel(channelOf(place)))) as APIChannel;
      const parent = 'parent_id' in channel && THREADS.includes(channel.type) ? channel.parent_id : undefined;
      if (parent) this.known.set(place, `${place.slice(0, place.indexOf('/'))}/${parent}`);
    } catch (error) {
      this.known.delete(place);
      throw error;
    }
  }

  of(place: string): string | undefined {
    return this.known.get(place);
  }
}
