import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { ConnectionEvents, InboundMessage, WebhookAnswer, WebhookRequest } from '../adapters/channel-adapter.js';
import { readEvent } from '../adapters/read-event.js';
import { pressOf } from './slack-buttons.js';
import { commandText, inboundOf, SlackEvent, SlashCommand } from './slack-message.js';
import type { SlackPeople } from './slack-people.js';
import { mentionedIn } from './slack-text.js';
import { isSignedBySlack } from './slack-signature.js';

/** Who the bot is in its workspace. */
export interface Identity {
  userId: string;
  teamId: string | undefined;
  botId: string | undefined;
}

const EventCallback = z.looseObject({
  type: z.literal('event_callback'),
  team_id: z.string().optional(),
  event: SlackEvent,
});
const Challenge = z.looseObject({ type: z.literal('url_verification'), challenge: z.string() });
/** Concern one person and the bot alone, wherever they are given. */
const PERSONAL = /^\/(link|unlink|status|help)\b/i;

/** Asked for at once, while Slack waits for the acknowledgement; further people keep their ids. */
const MAX_NAMES = 10;

/** What comes from Slack, by socket or by post: people's messages and slash commands. */
export class SlackInbound {
  me: Identity | undefined;
  /** By channel: a name that has to be asked for must not let a later message overtake. */
  private readonly last = new Map<string, Promise<void>>();

  constructor(
    private readonly signingSecret: string | undefined,
    private readonly people: SlackPeople,
    private readonly client: WebClient,
    private readonly events: Pick<ConnectionEvents, 'onMessage' | 'onUnreadable'>,
  ) {}

  /** One envelope of the socket. On disk when it resolves. */
  async take(type: string, body: unknown): Promise<void> {
    if (type === 'events_api') await this.takeEvent(body);
    if (type === 'slash_commands') await this.takeCommand(body);
    if (type === 'interactive') await this.takePress(body);
  }

  /** https://docs.slack.dev/apis/events-api/using-http-request-urls */
  async receive({ headers, body }: WebhookRequest): Promise<WebhookAnswer> {
    if (this.signingSecret === undefined || !isSignedBySlack(this.signingSecret, headers, body))
      return answerOf(401, 'the signature is wrong or too old');
    if (!this.me) return answerOf(503, 'not connected yet');
    const text = body.toString('utf8');
    if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      const form = new URLSearchParams(text);
      const payload = form.get('payload');
      await (payload === null ? this.takeCommand(Object.fromEntries(form)) : this.takePress(parsed(payload)));
      return answerOf(200, '');
    }
    const event = parsed(text);
    const challenge = Challenge.safeParse(event);
    if (challenge.success) return answerOf(200, challenge.data.challenge);
    await this.takeEvent(event);
    return answerOf(200, '');
  }

  private async takeEvent(body: unknown): Promise<void> {
    const callback = EventCallback.safeParse(body);
    if (!callback.success || !this.me) return;
    const { event, team_id: team } = callback.data;
    const { userId: me } = this.me;
    const message = readEvent(() => inboundOf(event, me, team), this.events);
    if (!message) return;
    const { userId, teamId } = message;
    await this.inOrder(event.channel, async () => {
      const [person, names] = await Promise.all([this.people.find(userId), this.namesIn(event.text, me)]);
      const { userId: _, teamId: __, ...rest } = inboundOf(event, me, team, names) ?? message;
      await this.events.onMessage({ ...rest, sender: { id: userId, ...person, ...(teamId ? { teamId } : {}) } });
    });
  }

  /** Slack mentions people by id alone. */
  private async namesIn(text: string, me: string): Promise<Map<string, string>> {
    const ids = mentionedIn(text).filter((id) => id !== me);
    const found = await Promise.all(
      ids.slice(0, MAX_NAMES).map(async (id) => [id, (await this.people.find(id)).displayName] as const),
    );
    return new Map(found);
  }

  private async takeCommand(body: unknown): Promise<void> {
    const parsedCommand = SlashCommand.safeParse(body);
    if (!parsedCommand.success) return;
    await this.inOrder(parsedCommand.data.channel_id, async () => {
      await this.events.onMessage(await this.messageOf(parsedCommand.data));
    });
  }

  /** https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
  private async takePress(body: unknown): Promise<void> {
    const message = readEvent(() => pressOf(body), this.events);
    if (message) await this.events.onMessage(message);
  }

  private async messageOf(command: SlashCommand): Promise<InboundMessage> {
    const { user_id: userId, user_name: username, channel_id: channel, team_id: teamId } = command;
    const text = commandText(command);
    const isDirect = channel.startsWith('D') || PERSONAL.test(text);
    return {
      eventId: `command:${command.trigger_id}`,
      // Given in a chat with another person, or in a channel: the answers' place is still the bot's own chat with them.
      place: isDirect ? await this.directChannel(userId) : channel,
      isDirect,
      isAddressed: true,
      sender: {
        id: userId,
        username: username ?? null,
        displayName: username ?? userId,
        ...(teamId ? { teamId } : {}),
      },
      text,
      files: [],
      answerTo: command.response_url,
    };
  }

  private inOrder(channel: string, work: () => Promise<void>): Promise<void> {
    const done = (this.last.get(channel) ?? Promise.resolve()).then(work);
    const ended = done.catch(() => undefined);
    this.last.set(channel, ended);
    void ended.then(() => {
      if (this.last.get(channel) === ended) this.last.delete(channel);
    });
    return done;
  }

  private async directChannel(userId: string): Promise<string> {
    const { channel } = await this.client.conversations.open({ users: userId });
    if (!channel?.id) throw new Error('Slack opened no direct channel');
    return channel.id;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answerOf(status: number, body: string): WebhookAnswer {
  return { status, contentType: 'text/plain', body };
}
