import { describe, expect, it } from 'vitest';
import { until } from '#lib/testing';
import { Sandbox } from './local/sandbox.js';
import { SandboxOutput } from './sandbox-output.js';

/** A process that is no sandbox, only as talkative as one that was taken over. */
function talkative(script: string, onLog: (line: string) => void): Sandbox {
  return new Sandbox({ file: '/bin/sh', args: ['-c', script], configuration: 'standard input' }, {}, onLog);
}

describe('the standard error of a sandbox', () => {
  it('fills no memory when it never ends its line', async () => {
    const lines: string[] = [];
    const before = process.memoryUsage().rss;
    // One process: what outlives the shell would hold its output open, and go on writing.
    const script = `exec "${process.execPath}" -e 'process.stderr.write("begun\\n" + "x".repeat(2e8))'`;
    const sandbox = talkative(script, (line) => lines.push(line));
    const peaks: number[] = [];
    const watch = setInterval(() => peaks.push(process.memoryUsage().rss - before), 50);
    await until('it has begun', () => lines.length > 0);
    // From here on it writes as fast as it is read.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    clearInterval(watch);
    sandbox.kill();
    await sandbox.ended;
    await until('the rest was read', () => lines.length > 1);
    expect(Math.max(...peaks)).toBeLessThan(60e6);
    expect(lines.join('').length).toBeLessThan(10_000);
  });

  it('cannot write a line of its own into the log, nor move a terminal', async () => {
    const lines: string[] = [];
    const forged = '{"level":60,"msg":"forged"}';
    const sandbox = talkative(`printf 'x\\r${forged}\\033[2J\\033]0;t\\a\\n${forged}\\n' >&2`, (line) =>
      lines.push(line),
    );
    await sandbox.ended;
    await until('all was read', () => lines.length === 2);
    expect(lines[0]).toBe(`x\\u{d}${forged}\\u{1b}[2J\\u{1b}]0;t\\u{7}`);
    // It is the value of one field of our own log line, as JSON.
    expect(JSON.stringify({ sandboxOutput: lines[1] })).toBe(`{"sandboxOutput":${JSON.stringify(forged)}}`);
  });

  it('puts so many lines a second into the log, so many in all, and reports what is missing', async () => {
    const lines: string[] = [];
    const output = new SandboxOutput((line) => lines.push(line));
    for (let chunk = 0; chunk < 1_000; chunk += 1) output.push(Buffer.from(`line ${chunk}\n`.repeat(100)));
    expect(lines.length).toBeLessThanOrEqual(3 * 21); // the seconds that this took, and what each reported missing
    await until('a line of a later second', () => {
      output.push(Buffer.from('later\n'));
      return lines.includes('later');
    });
    expect(lines).toContainEqual(expect.stringMatching(/^\[… about \d+ bytes left out\]$/));
    expect(output.lastLine).toBe('later');
  });
});
