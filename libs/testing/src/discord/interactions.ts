import { randomBytes } from 'node:crypto';
import { ApiError, unknown } from './api-error.js';
import type { Gateway } from './gateway.js';
import type { Messages } from './messages.js';
import type { ApiRequest } from './request.js';
import { type BotApplication, type Channel, type Message, snowflake, type User, type World } from './world.js';

/** "Interactions must be acknowledged within 3 seconds"; their tokens are good for 15 minutes. */
const ANSWER_MS = 3_000;
const TOKEN_MS = 900_000;
const EPHEMERAL = 64;

export interface Interaction {
  id: string;
  token: string;
  bot: BotApplication;
  channel: Channel;
  user: User;
  at: number;
  /** The message whose button was pressed; absent for a command. */
  message?: Message;
  /** 4: answered with a message, 5: will be, 6: the message of the button may be edited later. */
  callbackType?: number;
  /** What the person sees as answers, in order; the first is the original response. */
  responses: Message[];
}

/** Slash commands: https://docs.discord.com/developers/interactions/receiving-and-responding */
export class Interactions {
  private readonly known = new Map<string, Interaction>();
  /** What is not about this limit may be more patient than Discord: a busy machine. */
  answerMs = ANSWER_MS;

  constructor(
    private readonly world: World,
    private readonly gateway: Gateway,
    private readonly messages: Messages,
  ) {}

  /** A person uses a command; its options are strings. */
  start(bot: BotApplication, channel: Channel, user: User, name: string, options: Record<string, string>): Interaction {
    const command = bot.commands.find((candidate) => candidate.name === name);
    if (!command) throw new Error(`the bot registered no command /${name}`);
    const interaction: Interaction = {
      id: snowflake(),
      token: randomBytes(24).toString('hex'),
      bot,
      channel,
      user,
      at: Date.now(),
      responses: [],
    };
    this.known.set(interaction.token, interaction);
    const isGuild = channel.guild_id !== undefined;
    this.gateway.dispatch(bot, 'INTERACTION_CREATE', {
      id: interaction.id,
      application_id: bot.id,
      type: 2,
      version: 1,
      token: interaction.token,
      channel_id: channel.id,
      channel: { id: channel.id, type: channel.type },
      ...(isGuild
        ? { guild_id: channel.guild_id, member: { user, roles: [], permissions: '0', joined_at: null } }
        : { user }),
      locale: 'en-US',
      app_permissions: '0',
      entitlements: [],
      authorizing_integration_owners: {},
      context: isGuild ? 0 : 1,
      data: {
        id: command.id,
        name,
        type: 1,
        options: Object.entries(options).map(([option, value]) => ({ name: option, type: 3, value })),
      },
    });
    return interaction;
  }

  /** A person presses a button that a message has, or, with a client that shows an older state of it, had. */
  press(bot: BotApplication, channel: Channel, user: User, message: Message, customId: string): Interaction {
    const interaction: Interaction = {
      ...{ id: snowflake(), token: randomBytes(24).toString('hex'), bot, channel, user, at: Date.now(), message },
      responses: [],
    };
    this.known.set(interaction.token, interaction);
    this.deliverPress(interaction, customId);
    return interaction;
  }

  /** The same event once more, as after a resumed session. */
  deliverPress({ bot, channel, user, message, id, token }: Interaction, customId: string): void {
    const isGuild = channel.guild_id !== undefined;
    this.gateway.dispatch(bot, 'INTERACTION_CREATE', {
      ...{ id, application_id: bot.id, type: 3, version: 1, token, message },
      channel_id: channel.id,
      channel: { id: channel.id, type: channel.type },
      ...(isGuild
        ? { guild_id: channel.guild_id, member: { user, roles: [], permissions: '0', joined_at: null } }
        : { user }),
      ...{ locale: 'en-US', app_permissions: '0', entitlements: [], authorizing_integration_owners: {} },
      context: isGuild ? 0 : 1,
      data: { custom_id: customId, component_type: 2 },
    });
  }

  callback({ params, body, files }: Omit<ApiRequest, 'bot'>): void {
    const interaction = this.of(params[1]);
    if (interaction.id !== params[0] || Date.now() - interaction.at > this.answerMs) {
      throw unknown('interaction', 10_062);
    }
    if (interaction.callbackType !== undefined) {
      throw new ApiError(400, 40_060, 'Interaction has already been acknowledged.');
    }
    const type = body['type'] as number;
    const data = (body['data'] ?? {}) as Record<string, unknown>;
    // 6 and 7, for the message of a button, are refused for commands.
    if (![4, 5, ...(interaction.message ? [6, 7] : [])].includes(type))
      throw new ApiError(400, 50_035, 'Invalid Form Body', {
        type: { code: 'BASE_TYPE_CHOICES', message: 'Unknown type' },
      });
    if (type === 4) this.respond(interaction, this.messages.contentOf(data, files, true), data);
    interaction.callbackType = type;
  }

  followUp({ params, body, files }: Omit<ApiRequest, 'bot'>): Message {
    const interaction = this.of(params[1]);
    if (interaction.callbackType === undefined) throw unknown('Webhook', 10_015);
    return this.respond(interaction, this.messages.contentOf(body, files, true), body);
  }

  edit({ params, body, files }: Omit<ApiRequest, 'bot'>): Message {
    const interaction = this.of(params[1]);
    const content = this.messages.contentOf(body, files, true);
    const [original] = interaction.responses;
    if (params[2] === '@original' && !original && interaction.callbackType === 5) {
      return this.respond(interaction, content, body);
    }
    const message = params[2] === '@original' ? original : interaction.responses.find(({ id }) => id === params[2]);
    if (!message) throw unknown('Message', 10_008);
    return this.messages.change(interaction.channel, message, content);
  }

  private of(token: string | undefined): Interaction {
    const interaction = this.known.get(token ?? '');
    if (!interaction) throw unknown('Webhook', 10_015);
    if (Date.now() - interaction.at > TOKEN_MS) throw new ApiError(401, 50_027, 'Invalid Webhook Token');
    return interaction;
  }

  private respond(interaction: Interaction, content: string, data: Record<string, unknown>): Message {
    const { bot, channel, user, id } = interaction;
    const flags = typeof data['flags'] === 'number' ? data['flags'] : 0;
    const fields = {
      type: 20,
      flags,
      webhook_id: bot.id,
      interaction_metadata: { id, type: 2, user, authorizing_integration_owners: {} },
    };
    // What only one person sees is no message of the channel.
    const message =
      flags & EPHEMERAL
        ? ({ id: snowflake(), channel_id: channel.id, author: bot.user, content, ...fields } as unknown as Message)
        : this.messages.add({ author: bot.user, channel, content, fields });
    interaction.responses.push(message);
    return message;
  }

  /** The bot's commands, registered all at once: https://docs.discord.com/developers/interactions/application-commands */
  overwrite({ bot, params, body }: ApiRequest): unknown[] {
    if (params[0] !== bot.id) throw new ApiError(403, 20_012, 'You are not authorized to perform this action');
    const list = (body['list'] ?? []) as { name: string; description?: string; type?: number; options?: unknown[] }[];
    bot.commands = list.map((command, index) => {
      if (!/^[-_\p{L}\p{N}]{1,32}$/u.test(command.name) || command.name !== command.name.toLowerCase()) {
        throw new ApiError(400, 50_035, 'Invalid Form Body', {
          [`${index}.name`]: { code: 'APPLICATION_COMMAND_INVALID_NAME', message: 'Command name is invalid' },
        });
      }
      if (!command.description || command.description.length > 100) {
        throw new ApiError(400, 50_035, 'Invalid Form Body', {
          [`${index}.description`]: {
            code: 'BASE_TYPE_BAD_LENGTH',
            message: 'Must be between 1 and 100 in length.',
          },
        });
      }
      return {
        ...command,
        description: command.description,
        id: snowflake(),
        application_id: bot.id,
        type: command.type ?? 1,
        version: snowflake(),
      };
    });
    return bot.commands;
  }
}
