import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

const text = z.string().max(4_096).optional();
/** Authorisation servers may add parameters of their own: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 */
const Callback = z.looseObject({
  code: text.describe('The code, where access was granted.'),
  state: text.describe('The state of the authorization that was begun.'),
  error: text.describe('Why access was not granted.'),
  error_description: text.describe('The same in words.'),
});
type Callback = z.output<typeof Callback>;

/**
 * Where the browser lands when access to an MCP server was granted and the caller named no address of its own. It only
 * shows what came: were it to finish the authorisation by itself, whoever led somebody here would get their access.
 */
@Tag('MCP')
@Controller('v1/mcp/oauth')
export class McpCallbackController {
  @Get('callback')
  @Endpoint({
    access: 'public',
    tenant: 'none',
    summary: 'The page people land on after granting an MCP server access',
    description:
      'For browsers. It shows the code and state, which whoever began the authorization hands to `POST /v1/mcp/servers/{id}/oauth/callback`; by itself it finishes nothing.',
    responseDescription: 'The page.',
    responseContent: { 'text/html': { schema: { type: 'string', description: 'The page.' } } },
    operationId: 'McpLanding_landed',
  })
  show(@Query(Callback) query: Callback, @Res() reply: FastifyReply): void {
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(pageOf(query));
  }
}

function pageOf({ code, state, error, error_description: why }: Callback): string {
  const body =
    code !== undefined && state !== undefined
      ? `<h1>One step is left</h1>
<p>Access was granted. Whoever began this finishes it with <code>POST /v1/mcp/servers/{id}/oauth/callback</code> and this body.
It can be used once and expires soon. Give it to nobody else.</p>
<pre>${escaped(JSON.stringify({ code, state }, null, 2))}</pre>`
      : `<h1>Access was not granted</h1>
<p>${escaped(why ?? error ?? 'There is no code in this address.')}</p>
<p>Begin again with <code>GET /v1/mcp/servers/{id}/oauth/authorize</code>.</p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Roost</title>${body}</html>`;
}

function escaped(text: string): string {
  const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' };
  return text.replace(/[&<>"']/g, (character) => `&${names[character] ?? ''};`);
}
