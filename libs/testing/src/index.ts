/**
 * Real servers for tests: one PostgreSQL and one nats-server per run (started by the global setup, or by
 * `startTestServers` outside vitest), a database and a bus account per suite, a whole Roost per e2e suite.
 * Everything is in one temporary folder and ends with the run; the next run clears what a killed one left.
 */
export { apiClient, type ApiClient, type ApiResponse } from './api-client.js';
export { bundleProgram } from './bundle-program.js';
export { type Cable, cableTo } from './cable.js';
export { type BotApplication, type Channel, DiscordServer, Intents, type User } from './discord/index.js';
export { connectAs } from './connect-as.js';
export { deferred } from './deferred.js';
export { freePort } from '#tools/launcher';
export { freshBus, type FreshBus } from './fresh-bus.js';
export { ownNats, type OwnNats } from './own-nats.js';
export { freshDatabase, type FreshDatabase } from './fresh-database.js';
export { followEvents, type FollowedEvent, type Following, readEvents } from './follow-events.js';
export * from './kubernetes/index.js';
export { ownedFolder, removeFolder } from './leftovers.js';
export * from './otlp/index.js';
export { logText } from './log-text.js';
export { NETWORK_DELAY_MS, networkDelay } from './network-delay.js';
export { newAccount } from './new-account.js';
export { processorMs } from './processor-ms.js';
export { publishEvent } from './publish-event.js';
export * from './misbehaving-mcp/index.js';
export * from './misbehaving-provider/index.js';
export { type ShownInSlack, type SlackFault, SlackPlatform } from './slack/slack-server.js';
export { spawnRoost, type SpawnedRoost, type SpawnRoostOptions } from './spawn-roost.js';
export { startRoost, type StartRoostOptions, type TestRoost } from './start-roost.js';
export { type LinkFault, TcpLink } from './tcp-link.js';
export { startTestServers, temporaryFolder, type TestServers } from './test-servers.js';
export { type ShownInTelegram, TelegramPlatform } from './telegram/telegram-server.js';
export { until } from './until.js';
