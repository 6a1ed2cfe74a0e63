import type { TestRoost } from '#lib/testing';
import type { Belongings } from './tenants.js';

export interface Operation {
  path: string;
  method: string;
  access: 'public' | 'account' | 'signed-in' | 'operator';
  tenant: 'account' | 'proof' | 'any' | 'none';
  /** A body that the route accepts. */
  example: unknown;
  /** It takes a stream and no JSON. */
  isStream: boolean;
  /** It takes any bytes, with a signature over them. */
  isRaw: boolean;
  queryNames: string[];
  /** What the query must have, by its examples: `?name=value`, or nothing. */
  requiredQuery: string;
  responses: Record<string, { content?: Record<string, { example?: unknown }> }>;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: { examples?: string[] };
}

interface Document {
  paths: Record<
    string,
    Record<
      string,
      {
        'x-roost-access': Operation['access'];
        'x-roost-tenant': Operation['tenant'];
        requestBody?: { content: Record<string, { example?: unknown }> };
        parameters: Parameter[];
        responses: Operation['responses'];
      }
    >
  >;
}

/** Every operation of the document that a running gateway serves. */
export async function operationsOf(roost: TestRoost): Promise<Operation[]> {
  const { paths } = (await roost.api<Document>('GET', '/openapi.json')).body;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      access: operation['x-roost-access'],
      tenant: operation['x-roost-tenant'],
      example: operation.requestBody?.content['application/json']?.example,
      isStream: JSON.stringify(Object.keys(operation.requestBody?.content ?? {})) === '["application/octet-stream"]',
      isRaw: '*/*' in (operation.requestBody?.content ?? {}),
      queryNames: operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      requiredQuery: requiredQueryOf(operation.parameters),
      responses: operation.responses,
    })),
  );
}

function requiredQueryOf(parameters: Parameter[]): string {
  const required = parameters.filter((parameter) => parameter.in === 'query' && parameter.required);
  if (required.length === 0) return '';
  const given = required.map(({ name, schema }) => [name, schema.examples?.[0] ?? '']);
  return `?${new URLSearchParams(Object.fromEntries(given) as Record<string, string>)}`;
}

/** What is no id in a path. */
const FIXED: Record<string, string> = {
  path: 'a.txt',
  platform: 'telegram',
  provider: 'openai',
  botId: '7',
  version: '1',
  conversationId: 'default',
};

/** The positions of ids in a path, in order. */
export const idsIn = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').filter((name) => !(name in FIXED));

/** Whose id belongs at `{name}` of a path. */
export function idAt(path: string, name: string, of: Belongings): string {
  if (name === 'id' && path.startsWith('/v1/mcp/')) return of.server;
  if (name === 'id' && path.startsWith('/v1/webhooks/endpoints')) return of.endpoint;
  if (name === 'id' && path.startsWith('/v1/webhooks/deliveries')) return of.delivery;
  if (name === 'id' && path.startsWith('/v1/budgets')) return of.budget;
  if (name === 'id' && path.startsWith('/v1/vault/secrets')) return of.secret;
  if (name === 'id' && path.startsWith('/v1/approvals')) return of.approval;
  const byName: Record<string, string> = {
    id: of.agent,
    agentId: of.agent,
    messageId: of.message,
    runId: of.run,
    scheduleId: of.schedule,
    triggerId: of.trigger,
    keyUuid: of.key,
    grantId: of.grant,
    accountId: of.account,
    // A binding is made by a chat platform only: any id will do.
    bindingId: of.trigger,
  };
  const id = byName[name];
  if (id === undefined) throw new Error(`${path}: no test names what belongs at {${name}}`);
  return id;
}

/** A path with its ids filled in; `instead` is what else belongs at some of the names. */
export const filled = (path: string, idOf: (name: string) => string, instead: Record<string, string> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => instead[name] ?? FIXED[name] ?? idOf(name));
