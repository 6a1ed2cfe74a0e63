import { until } from '#lib/testing';
import { verifyWebhook } from '@roost-ai/sdk';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

describe('webhooks', () => {
  let dashboard: Dashboard;
  let url: string;
  let secret: string;
  const received: Received[] = [];
  let answer = { status: 200, text: 'thank <b>you</b>' };
  const receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(answer.status).end(answer.text);
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    dashboard = await Dashboard.open();
  });
  afterAll(async () => {
    await dashboard?.close();
    receiver.close().closeAllConnections();
  });

  const page = () => dashboard.page;
  const deliveries = () => page().getByRole('list', { name: 'Deliveries' }).getByRole('listitem');
  const shownSecret = async () => {
    const shown = (await page().getByRole('dialog').getByLabel('Secret', { exact: true }).textContent()) ?? '';
    await page().getByRole('button', { name: 'I have kept it' }).click();
    return shown.trim();
  };

  it('say how an endpoint is made, which shows its secret once', async () => {
    await page().getByRole('link', { name: 'Webhooks' }).click();
    await page()
      .getByText(/^roost webhooks create/)
      .waitFor();
    await page().getByRole('link', { name: 'New endpoint' }).click();
    await page().getByLabel('URL').fill('ftp://nowhere');
    await page().getByRole('button', { name: 'Make the endpoint' }).click();
    await page().getByText('The endpoint was not saved').waitFor();
    await page().getByLabel('URL').fill(url);
    await page().getByRole('group', { name: 'Events' }).waitFor({ state: 'detached' });
    await page().getByLabel('All of them').first().uncheck();
    await page().getByLabel('agent.status_changed').check();
    await page().getByRole('button', { name: 'Make the endpoint' }).click();
    // A click beside it does not lose what is not shown again.
    await page().getByText('it is not shown again').waitFor();
    await page().mouse.click(5, 5);
    secret = await shownSecret();
    expect(secret).toMatch(/^whsec_/);
    await page().getByText('Nothing was sent yet').waitFor();
  });

  it('are tested, signed with that secret, and shown with request and response', async () => {
    await page().getByRole('button', { name: 'Send a test' }).click();
    await page().getByRole('heading', { name: 'webhook.test' }).waitFor();
    await page().getByText('The receiver answered 2xx').waitFor();
    await page().getByRole('region', { name: 'What was answered to try 1' }).getByText('thank <b>you</b>').waitFor();
    await page().getByRole('region', { name: 'Body of the request' }).getByText('"type": "webhook.test"').waitFor();
    const [first] = received;
    if (!first) throw new Error('nothing was received');
    await verifyWebhook(first.body, first.headers as Record<string, string>, secret);
  });

  it('are sent again one by one', async () => {
    answer = { status: 500, text: 'not now' };
    await page().getByRole('button', { name: 'Resend' }).click();
    await page().getByRole('region', { name: 'What was answered to try 2' }).getByText('not now').waitFor();
    await page().getByText('It is tried now, or again later').waitFor();
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    answer = { status: 200, text: '' };
  });

  it('are found by status and event, also by their address', async () => {
    const agentId = await dashboard.agent('hooked');
    await dashboard.roost.api('POST', `/v1/agent/${agentId}/pause`);
    await page().getByRole('link', { name: 'Deliveries' }).click();
    await deliveries().filter({ hasText: 'agent.status_changed' }).filter({ hasText: 'Succeeded' }).waitFor();
    await page().getByLabel('Event', { exact: true }).selectOption('agent.status_changed');
    await until('the test is left out', async () => (await deliveries().count()) === 1);
    await page().getByLabel('Status', { exact: true }).selectOption('Dead');
    await page().getByText('None is like this.').waitFor();
    await expect.poll(() => dashboard.place).toBe('/webhooks/deliveries?status=dead&event=agent.status_changed');
    await page().reload();
    await page().getByText('None is like this.').waitFor();
  });

  it('are sent again since a time', async () => {
    const before = received.length;
    await page().getByRole('link', { name: 'Endpoints' }).click();
    await page().getByRole('list', { name: 'Endpoints' }).getByRole('listitem').waitFor();
    await page().keyboard.press('j');
    await page().keyboard.press('Enter');
    await page().getByRole('button', { name: 'More actions' }).click();
    await page().getByRole('menuitem', { name: 'Send again …' }).click();
    await page().getByLabel('Which of it').selectOption('Succeeded');
    await page().getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
    await page()
      .getByText(/deliver(y|ies) (is|are) sent again/)
      .waitFor();
    await until('it has come again', () => received.length > before);
  });

  it('have an endpoint that is changed, disabled, given a new secret and deleted', async () => {
    await page().getByRole('button', { name: 'More actions' }).click();
    await page().getByRole('menuitem', { name: 'Edit' }).click();
    await page().getByLabel('Description').fill('our chat');
    await page().getByRole('button', { name: 'Save' }).click();
    await page().getByText('our chat').waitFor();
    await page().getByRole('button', { name: 'Disable' }).click();
    await page().getByRole('button', { name: 'Enable' }).waitFor();
    await page().getByRole('button', { name: 'More actions' }).click();
    await page().getByRole('menuitem', { name: 'New secret …' }).click();
    await page().getByRole('button', { name: 'Make a new secret' }).click();
    const next = await shownSecret();
    expect(next).toMatch(/^whsec_/);
    expect(next).not.toBe(secret);
    await page().getByRole('button', { name: 'More actions' }).click();
    await page().getByRole('menuitem', { name: 'Delete …' }).click();
    await page().getByRole('button', { name: 'Delete it' }).click();
    await page().getByText('Let your systems know').waitFor();
    const { body } = await dashboard.roost.api<{ endpoints: object[] }>('GET', '/v1/webhooks/endpoints');
    expect(body.endpoints).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
  });
});
