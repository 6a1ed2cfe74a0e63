export { discordDouble } from './discord.js';
export type { DoubleThread, PlatformDouble, ShownCard } from './platform-double.js';
export { slackDouble } from './slack.js';
export { telegramDouble } from './telegram.js';
