import type { REST } from '@discordjs/rest';
import { type APIRole, Routes } from 'discord-api-types/v10';

/** Servers that are remembered; the oldest are forgotten. */
const MAX_SERVERS = 1_000;
/** The messages behind it wait so long at most. */
const PATIENCE_MS = 3_000;

/**
 * The role that Discord makes for a bot in each server that it joins, with the bot's name: whoever writes `@` and the name
 * is offered both, and often takes the role. https://docs.discord.com/developers/topics/permissions#role-object-role-tags-structure
 */
export class OwnRoles {
  private readonly known = new Map<string, string | undefined>();

  constructor(private readonly rest: REST) {}

  /** Undefined where it has none, and while Discord does not say. */
  async in(server: string, me: string): Promise<string | undefined> {
    if (this.known.has(server)) return this.known.get(server);
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const roles = (await this.rest.get(Routes.guildRoles(server), { signal })) as APIRole[];
      const [oldest] = this.known.keys();
      if (this.known.size >= MAX_SERVERS && oldest !== undefined) this.known.delete(oldest);
      const own = roles.find(({ tags }) => tags?.bot_id === me)?.id;
      this.known.set(server, own);
      return own;
    } catch {
      return undefined;
    }
  }
}
