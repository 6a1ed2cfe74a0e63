import { isBase64Text, type writeFile as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import type { Volume } from '../tree/volume.js';
import { replaceFile, type Written } from './replace-file.js';

/** Creates or replaces a file in one step; its parents are made. */
export async function writeFile(
  volume: Volume,
  { path, content, encoding, ...expected }: z.output<typeof contract.input>,
): Promise<Written> {
  const bytes = decode(content, encoding);
  return replaceFile(volume, path, expected, async (file) => {
    await volume.room.take(bytes.length);
    await file.writeFile(bytes);
  });
}

/** Errors: VALIDATION_ERROR when the text is not base64. */
export function decode(content: string, encoding: 'utf-8' | 'base64'): Buffer {
  if (encoding === 'utf-8') return Buffer.from(content, 'utf8');
  if (!isBase64Text(content)) {
    throw new RoostError('VALIDATION_ERROR', 'content: is not base64', [{ field: 'content', reason: 'not_base64' }]);
  }
  return Buffer.from(content, 'base64');
}
