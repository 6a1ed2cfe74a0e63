import { secret } from '#lib/config';
import { z } from 'zod';

export const slackEnvironment = {
  SLACK_API_BASE_URL: z.url().default('https://slack.com/api/'),
  /** The platform's shared app, for agents without one of their own. */
  SLACK_BOT_TOKEN: secret(z.string()).optional(),
  /** With it the shared app connects by Socket Mode; without it Slack posts to `/v1/channels/slack/shared/events`. */
  SLACK_APP_TOKEN: secret(z.string()).optional(),
  SLACK_SIGNING_SECRET: secret(z.string()).optional(),
};
export type SlackSettings = z.output<z.ZodObject<typeof slackEnvironment>>;
