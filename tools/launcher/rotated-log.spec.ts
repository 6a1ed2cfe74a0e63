import { temporaryFolder, until } from '#lib/testing';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openRotatedLog } from './rotated-log.js';
import { openServicesLog } from './services-log.js';

describe('a rotated log', () => {
  it('keeps so many files of so many bytes, for their owner alone, and no line twice or in halves', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'some.log');
    writeFileSync(path, 'of an earlier version\n', { mode: 0o644 });
    const log = openRotatedLog({ path, onTrouble: fail, limits: { size: '1K', rotate: 3 } });
    for (let index = 0; index < 400; index += 1) log.write(`line ${index} ${'x'.repeat(20)}`);
    await log.close();
    const files = readdirSync(folder).sort();
    expect(files).toEqual(['some.log', 'some.log.1', 'some.log.2', 'some.log.3']);
    for (const name of files) {
      expect(statSync(join(folder, name)).size).toBeLessThan(1_100);
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    const text = [...files]
      .reverse()
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
    const numbers = text
      .trim()
      .split('\n')
      .map((line) => Number(/^line (\d+) x{20}$/.exec(line)?.[1]));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 400 - numbers.length + index));
  });

  it('says once that it cannot write, ends nobody, and goes on when it can, with how much is missing', async () => {
    const folder = join(temporaryFolder(), 'logs');
    writeFileSync(folder, 'a file instead');
    const path = join(folder, 'some.log');
    const troubles: string[] = [];
    const log = openRotatedLog({ path, onTrouble: (line) => troubles.push(line), limits: { retryMs: 20 } });
    log.write('lost');
    await until('it is reported', () => troubles.length > 0);
    for (let index = 0; index < 10; index += 1) log.write('lost');
    expect(troubles).toEqual([expect.stringContaining(`${path} cannot be written`)]);
    rmSync(folder);
    mkdirSync(folder);
    await until('it writes again', () => {
      log.write('kept');
      return existsSync(path) && readFileSync(path, 'utf8').includes('kept');
    });
    await log.close();
    expect(troubles).toHaveLength(2);
    expect(troubles[1]).toMatch(/is written again; \d+ lines are missing/);
  });
});

describe("the services' log", () => {
  it('is JSON line by line, whatever a process prints, and steers no terminal', async () => {
    const path = join(temporaryFolder(), 'roost.log');
    const shown: string[] = [];
    const log = await openServicesLog({ path, onTrouble: fail, show: (line) => shown.push(line) });
    const printed = new PassThrough();
    const texts: string[] = [];
    log.collect(printed, 'messaging', (line) => texts.push(line));
    printed.write('{"level":30,"msg":"a line of pino\\u001b[2J"}\n{"level":30,"msg":"broken\n');
    printed.write('not JSON\n');
    for (let index = 0; index < 40; index += 1) printed.write('y'.repeat(1e5));
    printed.end();
    log.note('of the launcher');
    await log.close();
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { msg: string; service?: string });
    expect(parsed.map(({ msg }) => msg.slice(0, 20)).sort()).toEqual([
      'a line of pino\u001b[2J',
      'not JSON',
      'of the launcher',
      'yyyyyyyyyyyyyyyyyyyy',
      '{"level":30,"msg":"b',
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(300_000);
    expect(texts).toHaveLength(3);
    expect(shown.join('\n')).toContain('a line of pino\\u{1b}[2J');
  });
});

function fail(message: string): never {
  throw new Error(message);
}
