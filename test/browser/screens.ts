import type { Page } from 'playwright-core';

export interface Screen {
  name: string;
  path: string;
  /** Waits for what the screen is for. */
  ready: (page: Page) => Promise<unknown>;
}

/** Every screen, at an agent that has been talked to: axe looks at each in both themes, and its picture is kept. */
export const screensOf = (agentId: string): Screen[] => [
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
];
