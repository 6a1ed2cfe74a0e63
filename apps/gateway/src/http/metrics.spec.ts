import { join } from 'node:path';
import { logText, startRoost, type TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondGateway } from '../../test/second-gateway.js';

describe('metrics', () => {
  let roost: TestRoost;
  let gateway: Awaited<ReturnType<typeof secondGateway>>;
  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'] });
    gateway = await secondGateway(roost, { ROOST_METRICS_PORT: '0' });
  });
  afterAll(async () => {
    await gateway?.stop();
    await roost?.stop();
  });

  it('are on a port of their own, by route, without ids, and not on the API’s', async () => {
    const id = '01890000-0000-7000-8000-00000000dead';
    await gateway.api('GET', '/auth/fetch_user');
    await gateway.api('DELETE', `/auth/platform_keys/${id}`);
    const log = await logText(join(roost.dataDir, 'second.log'));
    const url = /"metrics":"([^"]+)"/.exec(log)?.[1] ?? '';
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await response.text();
    expect(text).toMatch(
      /roost_http_request_duration_seconds_count\{[^}]*route="\/auth\/fetch_user",status="200"\} [1-9]/,
    );
    expect(text).toContain('route="/auth/platform_keys/:keyUuid",status="404"');
    expect(text).toMatch(/^process_resident_memory_bytes /m);
    expect(text).not.toContain(id);
    expect((await fetch(new URL('/', url))).status).toBe(404);
    expect((await gateway.api('GET', '/metrics')).status).toBe(404);
  });
});
