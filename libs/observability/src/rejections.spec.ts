import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** In a process of its own: here the test's runner listens too. */
async function ends(isOutlived: boolean): Promise<string> {
  const script = `
    import { outliveRejections } from '#lib/observability';
    const takeBack = outliveRejections({ error: ({ err }, message) => console.log(message + ': ' + err.message) });
    if (!${isOutlived}) takeBack();
    Promise.reject(new Error('one stream'));
    setTimeout(() => console.log('still here'), 20);`;
  return run(process.execPath, ['--input-type=module', '-e', script]).then(
    ({ stdout }) => stdout,
    (error: { code: number }) => `ended with ${error.code}`,
  );
}

it('logs a failure that nobody waits for, and the process goes on', async () => {
  await expect(ends(true)).resolves.toBe('a promise failed that nobody waited for: one stream\nstill here\n');
});

it('is taken back', async () => {
  await expect(ends(false)).resolves.toBe('ended with 1');
});
