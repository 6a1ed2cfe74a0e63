import { startRoost, type TestRoost, logText } from '#lib/testing';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oddBodies } from '../../test/odd-bodies.js';
import { filled, idAt, type Operation, operationsOf } from '../../test/operations.js';
import { type Belongings, belongingsOf } from '../../test/tenants.js';

interface ErrorBody {
  success: boolean;
  error: { code: string; message: string; details: { field?: string; reason: string }[] };
  meta: { request_id: string };
}

let roost: TestRoost;
let operations: Operation[];
let mine: Belongings;
beforeAll(async () => {
  roost = await startRoost({
    env: { ROOST_RATE_LIMIT_PER_MINUTE: '1000000', ROOST_ADDRESS_LIMIT_PER_MINUTE: '1000000' },
  });
  mine = await belongingsOf(roost, roost.apiKey);
  // What takes things away comes last.
  const isEnd = ({ method, path }: Operation) => /DELETE|delete|revoke|logout|stop|status|pause/.test(method + path);
  operations = (await operationsOf(roost)).sort((a, b) => Number(isEnd(a)) - Number(isEnd(b)));
});
afterAll(async () => roost?.stop());

const urlOf = ({ path }: Operation) => filled(path, (name) => idAt(path, name, mine));

/** What is wrong with an answer; undefined for one that callers can rely on. */
function wrongWith({ status, body }: { status: number; body: ErrorBody }): string | undefined {
  if (status >= 500 && body?.error?.code !== 'AGENT_UNAVAILABLE') return `is a ${status}`;
  if (status < 400) return undefined;
  if (typeof body?.error?.code !== 'string' || typeof body.meta?.request_id !== 'string') return 'has no error shape';
  if (/\bat \S+:\d+|node_modules|SELECT |invalid byte sequence/.test(body.error.message)) return 'shows internals';
  return undefined;
}

/** A busy machine may have been too slow (503); what breaks by what was sent breaks by it each time. */
async function askedAgain<T extends { status: number }>(ask: () => Promise<T>, tries = 5): Promise<T> {
  const answer = await ask();
  return answer.status === 503 && tries > 1 ? askedAgain(ask, tries - 1) : answer;
}

describe('whatever odd is sent, on every route', () => {
  it('a body is taken or refused by the name of its field, and nothing breaks', async () => {
    const complaints: string[] = [];
    let checks = 0;
    const ofBodies = operations.filter(({ method }) => method !== 'GET');
    for (const operation of ofBodies) {
      const isJson = !operation.isStream && !operation.isRaw;
      const bodies = oddBodies((operation.example ?? {}) as object);
      const ask = ({ bytes, contentType = 'application/json' }: (typeof bodies)[number]) =>
        roost.api<ErrorBody>(operation.method, urlOf(operation), bytes, { 'content-type': contentType });
      const answers = await Promise.all(bodies.map((odd) => askedAgain(() => ask(odd))));
      for (const [index, odd] of bodies.entries()) {
        const answer = answers[index] as (typeof answers)[number];
        const { status, body } = answer;
        const at = `${operation.method} ${operation.path} with ${odd.name}`;
        const wrong = wrongWith(answer);
        if (wrong) complaints.push(`${at} ${wrong}`);
        checks += 1;
        if (!isJson || !odd.isRefused || isContent(operation, odd) || [401, 403, 404, 413, 429].includes(status))
          continue;
        if (status !== 400 && status !== 415) complaints.push(`${at} gave ${status}`);
        else if (odd.field !== undefined && body.error.details[0]?.field !== odd.field)
          complaints.push(`${at} named ${JSON.stringify(body.error.details)} instead of ${odd.field}`);
      }
    }
    console.log(`odd bodies: ${checks} checks over ${ofBodies.length} operations`);
    expect(complaints).toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('a query, a path or a header is taken or refused in the error shape', async () => {
    const complaints: string[] = [];
    const values = [
      '%00',
      'a%00b',
      '%EF%BF%BF',
      '%ED%A0%80',
      '%zz',
      '%',
      'x'.repeat(6_000),
      '__proto__',
      '1e999',
      '-1',
      '[]',
    ];
    const headers: Record<string, string>[] = [
      { 'idempotency-key': 'k'.repeat(256) },
      { 'idempotency-key': 'k\u00e9' },
      { traceparent: '\u00ff\u00fe' },
      { traceparent: '00-' + 'z'.repeat(5_000) },
      { 'x-request-id': '\u00ff' },
      { 'if-match': '"' + '\u00ff'.repeat(500) },
      { range: 'bytes=99999999999999999999-' },
      { accept: '\u00ff/'.repeat(100) },
      { 'content-type': 'x' },
      { 'content-type': '\u00ff' },
    ];
    for (const operation of operations.filter(({ path }) => !path.endsWith('/events'))) {
      const url = urlOf(operation);
      const body = operation.method === 'GET' || operation.method === 'DELETE' ? undefined : '{"no_such_field":1}';
      const type = body === undefined ? undefined : { 'content-type': 'application/json' };
      const ask = (at: string, more: Record<string, string> = {}) =>
        roost.api<ErrorBody>(operation.method, at, body, { ...type, ...more }).catch((error: unknown) => {
          throw new Error(`${operation.method} ${at} with ${JSON.stringify(more)} broke off`, { cause: error });
        });
      const urls = values.flatMap((value) => [
        ...operation.queryNames.map((name) => `${url}?${name}=${value}`),
        `${url}?${value}=1`,
        ...[...operation.path.matchAll(/\{(\w+)\}/g)].map(([, at]) =>
          filled(operation.path, (name) => idAt(operation.path, name, mine), { [at ?? '']: value }),
        ),
      ]);
      const answers = await Promise.all([
        ...urls.map((at) => askedAgain(() => ask(at))),
        ...headers.map((more) => askedAgain(() => ask(url, more))),
      ]);
      for (const [index, answer] of answers.entries()) {
        const wrong = wrongWith(answer);
        const what =
          urls[index]?.slice(0, 300) ?? `${url} with ${JSON.stringify(headers[index - urls.length]).slice(0, 60)}`;
        if (wrong)
          complaints.push(`${operation.method} ${what} ${wrong}: ${JSON.stringify(answer.body).slice(0, 200)}`);
      }
    }
    expect(complaints).toEqual([]);
  });

  it('a file has its etag whenever it is written, and a stopped agent the call that starts it', async () => {
    const made = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'files' });
    const file = `/v1/agent/${made.body.id}/filesystem/files/etag.txt`;
    await roost.api('POST', file, { content: 'one' });
    const put = await roost.api<{ etag: string }>('PUT', file, { content: 'two\u0000' });
    expect(put.headers.get('etag')).toBe(`"${put.body.etag}"`);
    const patch = { operation: 'append', content: '!' };
    const patched = await roost.api<{ etag: string }>('PATCH', file, patch, { 'if-match': `"${put.body.etag}"` });
    expect(patched.status).toBe(200);
    expect(patched.headers.get('etag')).toBe(`"${patched.body.etag}"`);
    expect((await roost.api('PATCH', file, patch, { 'if-match': `"${put.body.etag}"` })).status).toBe(412);
    await roost.api('POST', `/v1/agent/${made.body.id}/stop`);
    const start = `POST /v1/agent/${made.body.id}/status and {"status":"active"}`;
    const refusals = [
      await roost.api<ErrorBody>('POST', `/v1/agent/${made.body.id}/messages`, { content: 'x' }),
      await roost.api<ErrorBody>('GET', file),
    ];
    for (const { status, body } of refusals) {
      expect(status).toBe(503);
      expect(body.error.message).toContain(start);
    }
  });

  it('nothing of it was a fault of ours in the log', async () => {
    const log = await logText(join(roost.dataDir, 'roost.log'));
    const faults = log.split('\n').filter((line) => line.includes('failed unexpectedly'));
    expect(faults.map((line) => line.slice(0, 400))).toEqual([]);
  });
});

/** Content of a file may hold U+0000, an answer may be any JSON; the body that a trigger is tested with has whatever fields of whatever kind, and any number. */
const isContent = ({ path }: Operation, { name }: { name: string }) =>
  (path.endsWith('/files/{path}') && name === 'U+0000 in content') ||
  (path.endsWith('/triggers/{triggerId}/test') && / number (beyond double )?in payload\./.test(name)) ||
  (path.endsWith('/approvals/{id}/answer') && / number in answer$/.test(name)) ||
  (path.endsWith('/permissions/explain') && / number in arguments\./.test(name));
