import { temporaryFolder, until } from '#lib/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { processIdentity } from './process-identity.js';
import { superviseServices } from './service-process.js';
import { openServicesLog } from './services-log.js';

/** Ends in another way at each start, once it has reported that it runs. */
const program = `
import { readFileSync, writeFileSync } from 'node:fs';
const counter = process.argv[2];
const start = Number(readFileSync(counter, 'utf8')) + 1;
writeFileSync(counter, String(start));
process.on('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 1_000);
process.send({ kind: 'ready', url: 'http://start/' + start }, () => {
  if (start === 1) for (const kept = []; ; ) kept.push({ more: kept.length });
  if (start === 2) throw new TypeError('cannot read that \\u001b[2J');
  if (start === 3) process.stderr.write('z'.repeat(3e6) + '\\n', () => process.exit(7));
});
`;

it('a process of services is started again whatever ended it, says why, and ends when asked', async () => {
  const folder = temporaryFolder();
  const [file, counter, path] = ['service.mjs', 'starts', 'roost.log'].map((name) => join(folder, name));
  writeFileSync(file!, program);
  writeFileSync(counter!, '0');
  const servicesLog = await openServicesLog({ path: path!, onTrouble: (line) => lines.push(line) });
  const lines: string[] = [];
  const running = await superviseServices({
    name: 'The process of the services',
    source: 'services',
    nodeArguments: ['--max-old-space-size=16', file!, counter!],
    environment: { PATH: process.env['PATH'] },
    servicesLog,
    log: (line) => lines.push(line),
    onGivenUp: ({ message }) => lines.push(message),
  });
  await until('it goes on running', () => running.url === 'http://start/4');
  const { pid } = running;
  await running.stop();
  await servicesLog.close();
  expect(processIdentity(pid ?? 0)).toBeUndefined();
  const ends = lines.filter((line) => line.includes('starting it again'));
  expect(ends).toEqual([
    expect.stringMatching(/ended \(.*heap out of memory\)/),
    expect.stringContaining('ended (TypeError: cannot read that \\u{1b}[2J)'),
    expect.stringContaining('ended (exit code 7)'),
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(3_000);
  const logged = readFileSync(path!, 'utf8').trim().split('\n');
  for (const line of logged) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(logged.filter((line) => line.includes('runs again'))).toHaveLength(3);
});
