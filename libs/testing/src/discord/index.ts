export { DiscordServer, type MessageOptions } from './discord-server.js';
export { Intents } from './gateway.js';
export { MOST_CHARACTERS } from './messages.js';
export type { BotApplication, Channel, FilePart, Message, User } from './world.js';
