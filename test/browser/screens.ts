import type { Page } from 'playwright-core';

export interface Screen {
  name: string;
  path: string;
  /** Waits for what the screen is for. */
  ready: (page: Page) => Promise<unknown>;
}

/** What stands on the screens: see `screen-data.ts`. */
export interface ScreenData {
  scheduleId: string;
  triggerId: string;
  serverId: string;
  endpointId: string;
  deliveryId: string;
  approvalId: string;
  accountId: string;
  /** Number of a version. */
  draft: number;
}

/** Every screen, at an agent that has been talked to: axe looks at each in both themes, and its picture is kept. */
export const screensOf = (
  agentId: string,
  { scheduleId, triggerId, serverId, endpointId, deliveryId, approvalId, accountId, draft }: ScreenData,
): Screen[] => [
  { name: 'agents', path: '/agents', ready: (page) => page.getByRole('link', { name: 'tester' }).first().waitFor() },
  {
    name: 'new-agent',
    path: '/agents/new',
    ready: async (page) => {
      await page.getByText('All settings').click();
      await page.getByLabel('Timeout seconds').waitFor();
    },
  },
  {
    name: 'chat',
    path: `/agents/${agentId}/chat`,
    ready: (page) => page.getByRole('log', { name: 'Conversation' }).waitFor(),
  },
  {
    name: 'runs',
    path: `/agents/${agentId}/runs`,
    ready: (page) => page.getByRole('list', { name: 'Runs' }).getByRole('link').first().waitFor(),
  },
  {
    name: 'run',
    path: `/agents/${agentId}/runs`,
    ready: async (page) => {
      await page.getByRole('link', { name: 'count' }).click();
      await page.getByRole('button', { name: /^bash/ }).click();
      await page.getByRole('region', { name: 'Result' }).waitFor();
    },
  },
  {
    name: 'files',
    path: `/agents/${agentId}/files`,
    ready: async (page) => {
      await page.getByText('The workspace').waitFor();
      await page.getByRole('treeitem').first().waitFor();
    },
  },
  {
    name: 'file',
    path: `/agents/${agentId}/files`,
    ready: async (page) => {
      await page.getByRole('treeitem', { name: 'notes.md' }).click();
      await page.getByRole('textbox', { name: /^Text of/ }).waitFor();
    },
  },
  {
    name: 'schedules',
    path: `/agents/${agentId}/schedules`,
    ready: (page) => page.getByText('At 09:00, Monday through Friday').waitFor(),
  },
  {
    name: 'new-schedule',
    path: `/agents/${agentId}/schedules/new`,
    ready: async (page) => {
      await page.getByText('When the agent is busy').click();
      await page.getByRole('list', { name: 'Next times' }).getByText('09:00').first().waitFor();
    },
  },
  {
    name: 'schedule',
    path: `/agents/${agentId}/schedules/${scheduleId}`,
    ready: async (page) => {
      await page.getByRole('list', { name: 'Next times' }).getByText('09:00').first().waitFor();
      await page.getByRole('list', { name: 'History' }).getByRole('listitem').first().waitFor();
    },
  },
  {
    name: 'triggers',
    path: `/agents/${agentId}/triggers`,
    ready: (page) => page.getByRole('list', { name: 'Triggers' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'new-trigger',
    path: `/agents/${agentId}/triggers/new`,
    ready: (page) => page.getByLabel('Message').waitFor(),
  },
  {
    name: 'trigger',
    path: `/agents/${agentId}/triggers/${triggerId}`,
    ready: (page) => page.getByRole('list', { name: 'History' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'channels',
    path: `/agents/${agentId}/channels`,
    ready: (page) => page.getByText('Set up a bot for Slack').click(),
  },
  {
    name: 'mcp',
    path: `/agents/${agentId}/mcp`,
    ready: (page) => page.getByRole('list', { name: 'MCP servers' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'new-mcp-server',
    path: `/agents/${agentId}/mcp/new`,
    ready: (page) => page.getByRole('button', { name: 'Add one' }).click(),
  },
  {
    name: 'mcp-server',
    path: `/agents/${agentId}/mcp/${serverId}`,
    ready: (page) => page.getByRole('region', { name: 'Health' }).getByText('ECONNREFUSED').waitFor(),
  },
  {
    name: 'approvals',
    path: '/approvals',
    ready: (page) => page.getByRole('list', { name: 'Approvals' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'approval',
    path: `/approvals/${approvalId}`,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Edit the arguments' }).click();
      await page.getByRole('textbox', { name: 'Arguments as JSON' }).waitFor();
      await page.getByRole('region', { name: 'command' }).first().getByText('make deploy').waitFor();
    },
  },
  {
    name: 'webhooks',
    path: '/webhooks',
    ready: (page) => page.getByRole('list', { name: 'Endpoints' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'new-endpoint',
    path: '/webhooks/new',
    ready: async (page) => {
      await page.getByLabel('All of them').first().uncheck();
      await page.getByLabel('message.completed').check();
    },
  },
  {
    name: 'endpoint',
    path: `/webhooks/${endpointId}`,
    ready: (page) => page.getByRole('list', { name: 'Deliveries' }).getByText('webhook.test').waitFor(),
  },
  {
    name: 'deliveries',
    path: '/webhooks/deliveries',
    ready: (page) => page.getByRole('list', { name: 'Deliveries' }).getByText('webhook.test').waitFor(),
  },
  {
    name: 'delivery',
    path: `/webhooks/deliveries/${deliveryId}`,
    ready: (page) => page.getByText('Try 1').waitFor(),
  },
  {
    name: 'accounts',
    path: '/admin',
    ready: (page) => page.getByRole('list', { name: 'Accounts' }).getByText('grace@example.org').waitFor(),
  },
  {
    name: 'account',
    path: `/admin/accounts/${accountId}`,
    ready: (page) => page.getByRole('meter', { name: 'Used: Agents' }).waitFor(),
  },
  {
    name: 'services',
    path: '/admin/services',
    ready: (page) => page.getByRole('list', { name: 'Services' }).getByText('agent-runtime').waitFor(),
  },
  {
    name: 'usage',
    path: '/usage?days=7',
    ready: async (page) => {
      await page.getByRole('img', { name: 'Tokens by day' }).locator('canvas').waitFor();
      await page.getByRole('region', { name: 'Usage in figures' }).getByText('tester').waitFor();
    },
  },
  {
    name: 'budgets',
    path: '/usage/budgets',
    ready: (page) => page.getByRole('list', { name: 'Budgets' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'new-budget',
    path: '/usage/budgets?edit=new',
    ready: (page) => page.getByRole('dialog').getByLabel('At most').waitFor(),
  },
  {
    name: 'api-keys',
    path: '/settings',
    ready: (page) => page.getByRole('list', { name: 'API keys' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'provider-keys',
    path: '/settings/provider-keys',
    ready: (page) => page.getByLabel('Key of Anthropic').waitFor(),
  },
  {
    name: 'vault',
    path: '/settings/vault',
    ready: (page) => page.getByRole('list', { name: 'Secrets' }).getByRole('listitem').first().waitFor(),
  },
  {
    name: 'new-secret',
    path: '/settings/vault?edit=new',
    ready: (page) => page.getByRole('dialog').getByLabel('Hosts').waitFor(),
  },
  {
    name: 'agent-secrets',
    path: `/agents/${agentId}/secrets`,
    ready: async (page) => {
      await page.getByRole('list', { name: 'Granted secrets' }).getByText('GITHUB_TOKEN').waitFor();
      await page.getByLabel('Variable').waitFor();
    },
  },
  {
    name: 'quotas',
    path: '/settings/quotas',
    ready: (page) => page.getByRole('meter', { name: 'Used: Agents' }).waitFor(),
  },
  {
    name: 'profile',
    path: '/settings/profile',
    ready: (page) => page.getByRole('heading', { name: 'Signed in by an API key' }).waitFor(),
  },
  {
    name: 'audit',
    path: '/audit',
    ready: (page) => page.getByRole('list', { name: 'Records' }).getByText('agent.created').first().waitFor(),
  },
  {
    name: 'memory',
    path: `/agents/${agentId}/memory?path=memory/index.md`,
    ready: async (page) => {
      await page.getByRole('list', { name: 'Sessions' }).getByRole('listitem').first().waitFor();
      await page.getByRole('textbox', { name: 'Text of memory/index.md' }).waitFor();
    },
  },
  {
    name: 'configuration',
    path: `/agents/${agentId}/configuration`,
    ready: async (page) => {
      await page.getByText('All settings').click();
      await page.getByRole('group', { name: 'Compaction' }).waitFor();
    },
  },
  {
    name: 'configuration-yaml',
    path: `/agents/${agentId}/configuration`,
    ready: async (page) => {
      await page.getByRole('button', { name: 'YAML' }).click();
      await page.getByRole('textbox', { name: 'Agent as YAML' }).waitFor();
    },
  },
  {
    name: 'versions',
    path: `/agents/${agentId}/versions`,
    ready: (page) => page.getByRole('list', { name: 'Versions' }).getByText('it was too long').waitFor(),
  },
  {
    name: 'version',
    path: `/agents/${agentId}/versions/1`,
    ready: (page) => page.getByRole('region', { name: 'After: description' }).waitFor(),
  },
  {
    name: 'draft',
    path: `/agents/${agentId}/versions/${draft}`,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Publish it' }).waitFor();
      await page.getByRole('region', { name: 'After: system_prompt' }).waitFor();
    },
  },
  {
    name: 'draft-in-chat',
    path: `/agents/${agentId}/chat?version=${draft}`,
    ready: async (page) => {
      await page.getByRole('group', { name: 'Which version answers' }).getByText('Draft').waitFor();
      await page.getByRole('button', { name: 'Pin it here' }).waitFor();
    },
  },
];
