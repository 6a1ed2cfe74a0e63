import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownCall } from '#lib/call-context';
import { writeFile } from '#lib/contracts';
import { requestOverNats } from '#lib/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import {
  bubblewrapRuntime,
  type LocalDriverFixture,
  localDriverFixture,
} from '../../../test/drivers/local/local-driver-fixture.js';

const call = () => ownCall(`req_${randomUUID()}`, 60_000);

let fixture: LocalDriverFixture;
beforeAll(async () => {
  fixture = await localDriverFixture(await bubblewrapRuntime());
});
afterAll(() => fixture?.close());

describe('the size of a local volume is enforced', () => {
  const small = (agentId: string, mebibytes: number) => specOf({ agentId, volumeBytes: mebibytes * 2 ** 20 });
  const put = (agentId: string, bytes: number) =>
    requestOverNats(
      fixture.connection,
      writeFile,
      { agentId, path: 'f', content: 'x'.repeat(bytes), encoding: 'utf-8', overwrite: true },
      call(),
    );

  it('against commands and the API alike, and grows with it', async () => {
    const agentId = randomUUID();
    await fixture.driver.ensure(small(agentId, 16));
    const { stderr } = await fixture.run(agentId, 'for i in 1 2 3 4; do dd if=/dev/zero of=f$i bs=1M count=8; done');
    expect(stderr).toMatch(/No space left|Roost: the volume is full/);
    await expect(put(agentId, 500_000)).rejects.toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
    await fixture.driver.sleep(agentId);
    await fixture.driver.ensure(small(agentId, 64));
    await expect(put(agentId, 500_000)).resolves.toMatchObject({ size: 500_000 });
    await fixture.run(agentId, 'rm f*; echo kept > g');
    await fixture.driver.sleep(agentId);
    await fixture.driver.ensure(small(agentId, 64));
    await expect(fixture.run(agentId, 'ls; cat g')).resolves.toMatchObject({ stdout: 'g\nkept\n' });
  });

  it('by measuring where the volume is a folder, with a warning', async () => {
    const agentId = randomUUID();
    // A folder with content, as an earlier Roost left it.
    mkdirSync(join(fixture.dataDir, 'volumes', agentId));
    writeFileSync(join(fixture.dataDir, 'volumes', agentId, 'old'), 'old', { mode: 0o644 });
    await fixture.driver.ensure(small(agentId, 16));
    const filled = await fixture.run(
      agentId,
      'cat old; while :; do head -c 1000000 /dev/zero >> more$((i++ / 4)); done',
    );
    expect(filled).toMatchObject({ stdout: 'old', stderr: expect.stringContaining('Roost: the volume is full') });
    await expect(put(agentId, 500_000)).rejects.toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
    // Nothing may grow, but files can be deleted.
    await expect(fixture.run(agentId, 'echo x > y; rm more*')).resolves.toMatchObject({ exitCode: 0 });
    await expect
      .poll(() =>
        put(agentId, 100_000).then(
          ({ size }) => size,
          () => 0,
        ),
      )
      .toBe(100_000);
    await expect(fixture.driver.isolation()).resolves.toMatchObject({
      volumes: expect.stringMatching(/image|measured/),
    });
  });
});
