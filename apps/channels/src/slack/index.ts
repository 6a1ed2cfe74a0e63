import type { Platform } from '../adapters/platform.js';
import { SlackAdapter } from './slack-adapter.js';
import { slackEnvironment } from './slack-environment.js';

export const platform: Platform<typeof slackEnvironment> = {
  environment: slackEnvironment,
  adapter: (settings) => new SlackAdapter(settings),
};
