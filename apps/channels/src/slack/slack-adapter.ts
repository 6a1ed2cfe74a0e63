import { secret } from '#lib/config';
import { z } from 'zod';
import { createHash } from 'node:crypto';
import type { BotCredentials, ChannelAdapter, Connection, ConnectionEvents } from '../adapters/channel-adapter.js';
import { botOf } from '../adapters/platform.js';
import { SlackConnection } from './slack-connection.js';
import { slackMrkdwn } from './slack-mrkdwn.js';

export const slackEnvironment = {
  SLACK_API_BASE_URL: z.url().default('https://slack.com/api/'),
  /** The platform's shared app, for agents without one of their own. */
  SLACK_BOT_TOKEN: secret(z.string()).optional(),
  /** With it the shared app connects by Socket Mode; without it Slack posts to `/v1/channels/slack/shared/events`. */
  SLACK_APP_TOKEN: secret(z.string()).optional(),
  SLACK_SIGNING_SECRET: secret(z.string()).optional(),
};
export type SlackSettings = z.output<z.ZodObject<typeof slackEnvironment>>;

/** Slack, by Socket Mode or Events API. A place is `<channel>` or `<channel>/<thread>`; direct channels begin with D. */
export class SlackAdapter implements ChannelAdapter {
  readonly platform = 'slack';
  /** By looking for the key in what is shown (`SlackConnection.send`). */
  readonly isIdempotent = true;
  readonly editEveryMs = 1_000;
  /** Slack takes a gigabyte; an agent's storage may be smaller. */
  readonly maxInboundBytes = 256 * 1024 ** 2;
  readonly maxOutboundBytes = 256 * 1024 ** 2;
  readonly commandMark = '!';
  readonly hasReplies = false;
  readonly sharedBot: BotCredentials | undefined;
  private readonly apiUrl: string;

  constructor(settings: SlackSettings) {
    this.apiUrl = settings.SLACK_API_BASE_URL.replace(/\/?$/, '/');
    const { SLACK_BOT_TOKEN: token, SLACK_APP_TOKEN: appToken, SLACK_SIGNING_SECRET: signingSecret } = settings;
    this.sharedBot = botOf(token, { ...(appToken ? { appToken } : {}), ...(signingSecret ? { signingSecret } : {}) });
  }

  /** Slack's tokens name the workspace and the bot before the secret; one that does not is known by its hash. */
  botIdOf({ token }: BotCredentials): string | undefined {
    if (!/^xox[a-z][-.][\w.-]{6,}$/.test(token)) return undefined;
    const [, workspace, bot] = /^xoxb-(\d+)-(\d+)-/.exec(token) ?? [];
    if (workspace && bot) return `${workspace}-${bot}`;
    return createHash('sha256').update(token).digest('hex').slice(0, 24);
  }

  chatOf(place: string): string {
    return place.split('/')[0] ?? place;
  }

  isGroup(place: string): boolean {
    return !place.startsWith('D');
  }

  linkInstructions(code: string): string {
    return `In Slack, send "/link ${code}" (or, as a direct message to the app, "!link ${code}") within 10 minutes.`;
  }

  format(markdown: string): string[] {
    return slackMrkdwn(markdown);
  }

  connect(credentials: BotCredentials, events: ConnectionEvents): Connection {
    return new SlackConnection(this.apiUrl, credentials, events);
  }
}
