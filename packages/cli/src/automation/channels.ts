import { buildCommand, buildRouteMap } from '@stricli/core';
import { agentArgument, type Cli, type Common, common } from '../cli.js';
import { clean } from '../output/clean.js';

type Platform = 'discord' | 'slack' | 'telegram';
const platformArgument = {
  brief: 'discord, slack or telegram',
  placeholder: 'platform',
  // The API says which there are.
  parse: (given: string) => given as Platform,
  proposeCompletions: (partial: string) => ['discord', 'slack', 'telegram'].filter((name) => name.startsWith(partial)),
};
const onPlatform = { kind: 'tuple', parameters: [agentArgument, platformArgument] } as const;

const list = buildCommand({
  docs: { brief: 'Where people talk to an agent' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [agentArgument] } },
  async func(this: Cli, flags: Common, name: string) {
    const channels = await (await this.agent(flags, name)).channels.list();
    if (flags.json) return this.out.json(channels);
    const rows = channels.map((one) => [one.type, one.health, one.linked ? 'linked' : 'not linked', one.counterparty]);
    this.out.table(['CHANNEL', 'HEALTH', 'LINK', 'WITH'], rows, 'None.');
  },
});

const link = buildCommand({
  docs: { brief: 'A code that links a person or room with an agent' },
  parameters: { flags: common, positional: onPlatform },
  async func(this: Cli, flags: Common, name: string, platform: Platform) {
    const code = await (await this.agent(flags, name)).channels.link(platform);
    if (flags.json) this.out.json(code);
    else this.out.line(`${this.out.bold(clean(code.code))}\n${clean(code.instructions)}`);
  },
});

const unlink = buildCommand({
  docs: { brief: 'Unlink all people and rooms of a platform' },
  parameters: { flags: common, positional: onPlatform },
  async func(this: Cli, flags: Common, name: string, platform: Platform) {
    const result = await (await this.agent(flags, name)).channels.unlink(platform);
    if (flags.json) this.out.json(result);
    else this.out.line('unlinked');
  },
});

export const channels = buildRouteMap({
  docs: { brief: 'Chats with an agent on Discord, Slack and Telegram' },
  routes: { list, link, unlink },
});
