import { closeSync, constants, openSync, readSync } from 'node:fs';
import { RoostError, type searchFiles as contract } from '#lib/contracts';
import { RE2JS } from 're2js';
import type { z } from 'zod';
import { typeOf } from '../tree/stats.js';
import { absolute, parsePath, toShown } from '../tree/path.js';
import { visit, type Visited } from '../tree/visit.js';
import type { Volume } from '../tree/volume.js';
import { atLocation } from '../tree/walk.js';
import { globMatcher } from './glob.js';

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;
type Result = Output['results'][number];

const timeLimitMs = 5_000;
const sliceMs = 10;
const maxFileBytes = 8 * 1024 * 1024;
const maxMatchesPerFile = 100;
const maxLineLength = 500;
/** All results must fit one bus message. */
const maxTextBytes = 500_000;

/**
 * Finds names and lines. Binary files and files above 8 MiB are not searched for content. The search gives way to other
 * calls every ten milliseconds; after five seconds, or a thousand results, it gives what it has.
 * Errors: VALIDATION_ERROR for a pattern that RE2 does not take (lookaround, backreferences).
 */
export async function searchFiles(volume: Volume, input: Input): Promise<Output> {
  const start = parsePath(input.path);
  const match = matcherOf(input);
  return atLocation(volume.root, start, {}, async ({ found, name }) => {
    if (!found) throw new RoostError('NOT_FOUND', 'no such directory');
    if (!found.stats.isDirectory())
      throw new RoostError('VALIDATION_ERROR', 'path: is not a directory', [
        { field: 'path', reason: 'not_directory' },
      ]);
    const startedAt = performance.now();
    const clock = { deadline: startedAt + timeLimitMs, sliceAt: startedAt };
    const output: Output = { results: [], total: 0, truncated: false };
    let textBytes = 0;
    for (const entry of visit(found.fd, name === undefined)) {
      const result = await match(entry, start, clock);
      if (result) {
        output.total += 1;
        textBytes += JSON.stringify(result).length;
        if (output.results.length < input.maxResults && textBytes < maxTextBytes) output.results.push(result);
        else output.truncated = true;
      }
      if (await isOver(clock)) return { ...output, truncated: true };
    }
    return output;
  });
}

interface Clock {
  deadline: number;
  sliceAt: number;
}

/** Lets other calls run when this one has had its slice. True when the time is over. */
async function isOver(clock: Clock): Promise<boolean> {
  if (performance.now() - clock.sliceAt < sliceMs) return false;
  await new Promise((resolve) => setImmediate(resolve));
  clock.sliceAt = performance.now();
  return clock.sliceAt > clock.deadline;
}

function matcherOf({
  query,
  type,
  filePattern,
  caseSensitive,
}: Input): (entry: Visited, start: Buffer[], clock: Clock) => Promise<Result | undefined> {
  const isWanted = filePattern === undefined ? () => true : globMatcher(filePattern, caseSensitive);
  const matchesName = type === 'content' ? () => false : globMatcher(query, caseSensitive);
  const regex = type === 'filename' ? undefined : compile(query, caseSensitive);
  return async ({ names, stats, at }, start, clock) => {
    const relative = names.map(toShown).join('/');
    if (!isWanted(relative)) return undefined;
    const isNamed = matchesName(relative);
    const matches =
      regex && stats.isFile() && stats.size <= maxFileBytes ? await matchingLines(at, stats.size, regex, clock) : [];
    if (!isNamed && matches.length === 0) return undefined;
    const result: Result = {
      path: absolute([...start, ...names]),
      type: typeOf(stats),
      size: stats.isFile() ? stats.size : 0,
    };
    return matches.length > 0 ? { ...result, matches } : result;
  };
}

function compile(query: string, caseSensitive: boolean): RE2JS {
  try {
    return RE2JS.compile(query, caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    throw new RoostError('VALIDATION_ERROR', `query: ${error instanceof Error ? error.message : 'is not a pattern'}`, [
      { field: 'query', reason: 'invalid_pattern' },
    ]);
  }
}

async function matchingLines(
  at: Buffer,
  size: number,
  regex: RE2JS,
  clock: Clock,
): Promise<{ line: number; text: string }[]> {
  const content = readText(at, size);
  const matches: { line: number; text: string }[] = [];
  if (content === undefined) return matches;
  let line = 0;
  for (let start = 0; start <= content.length && matches.length < maxMatchesPerFile;) {
    const end = content.indexOf('\n', start);
    // A line of megabytes (minified code) is looked at in its beginning only.
    const text = content.slice(start, Math.min(end < 0 ? content.length : end, start + 10_000));
    line += 1;
    if (regex.test(text)) matches.push({ line, text: text.slice(0, maxLineLength) });
    if (end < 0 || (await isOver(clock))) break;
    start = end + 1;
  }
  return matches;
}

function readText(at: Buffer, size: number): string | undefined {
  let fd: number;
  try {
    fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // vanished, or not readable
  }
  try {
    const buffer = Buffer.allocUnsafe(size);
    const length = readSync(fd, buffer, 0, size, 0);
    const bytes = buffer.subarray(0, length);
    return bytes.subarray(0, 8_192).includes(0) ? undefined : bytes.toString('utf8');
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
