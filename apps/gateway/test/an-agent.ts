import { type Agent, perPlatform } from '#lib/contracts';

/** What lifecycle would answer, for tests that stand in for it. */
export const anAgent: Agent = {
  id: '01890000-0000-7000-8000-000000000001',
  uuid: '01890000-0000-7000-8000-000000000001',
  name: 'a',
  description: null,
  status: 'active',
  version: 1,
  statusReason: null,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  pvcSize: '1Gi',
  sessionMode: 'ephemeral',
  warmthWindowMs: null,
  outputTokenBalance: 1,
  configuration: {},
  systemPrompt: null,
  systemPromptType: 'append',
  mcpServers: [],
  filesystemSummary: null,
  ...perPlatform('BotConfigured', () => false),
  providerKeysConfigured: [],
};
