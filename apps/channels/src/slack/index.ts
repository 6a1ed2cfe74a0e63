import type { Platform } from '../adapters/platform.js';
import { SlackAdapter, slackEnvironment } from './slack-adapter.js';

export const platform: Platform<typeof slackEnvironment> = {
  environment: slackEnvironment,
  adapter: (settings) => new SlackAdapter(settings),
};
