import { register } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveGauge, type MetricsServer, serveMetrics } from './metrics.js';

describe('the port of the metrics', () => {
  const gauge = new LiveGauge('roost_test_reading', 'Of this suite');
  const ends: (() => void)[] = [];
  let isReady = () => Promise.resolve(true);
  let server: MetricsServer;
  const get = async (path: string) => {
    const response = await fetch(new URL(path, server.url));
    return { status: response.status, text: await response.text() };
  };

  beforeAll(async () => void (server = await serveMetrics(0, '127.0.0.1', () => isReady())));
  afterAll(async () => {
    for (const end of ends) end();
    register.removeSingleMetric('roost_test_reading');
    await server?.stop();
  });

  it('answers though a reading hangs, and begins no other beside it', async () => {
    let begun = 0;
    let resume = (_: number) => undefined as void;
    const hanging = () => {
      begun += 1;
      return new Promise<number>((resolve) => (resume = resolve));
    };
    ends.push(gauge.measure('hanging', hanging));
    ends.push(gauge.measure('failing', () => Promise.reject(new Error('away'))));
    ends.push(gauge.measure('well', () => Promise.resolve(7)));

    const scrapes = [get('/metrics'), get('/metrics')];
    expect(await get('/live')).toMatchObject({ status: 200 });
    for (const { status, text } of await Promise.all(scrapes)) {
      expect(status).toBe(200);
      expect(text.match(/^roost_test_reading.*$/gm)).toEqual(['roost_test_reading{service="well"} 7']);
    }
    expect(begun).toBe(1);

    resume(1);
    const again = get('/metrics');
    await expect.poll(() => begun).toBe(2);
    resume(2);
    expect((await again).text).toContain('roost_test_reading{service="hanging"} 2');
  });

  it('is ready as the service is, and live whatever that says', async () => {
    const statuses = async () => [(await get('/live')).status, (await get('/ready')).status];
    expect(await statuses()).toEqual([200, 200]);
    isReady = () => Promise.resolve(false);
    expect(await statuses()).toEqual([200, 503]);
    isReady = () => Promise.reject(new Error('unexpected'));
    expect(await statuses()).toEqual([200, 503]);
  });

  it('serves nothing else', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(404);
  });
});
