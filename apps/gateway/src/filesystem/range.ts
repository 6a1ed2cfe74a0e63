import { RoostError } from '#lib/contracts';

/**
 * One range of a `Range` header (RFC 9110, 14.2) for content of this size; undefined when all of it is to be sent: no
 * header, another unit, or several ranges, which a server may ignore. Errors: RANGE_NOT_SATISFIABLE.
 */
export function parseRange(header: string | undefined, size: number): { offset: number; length: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const offset = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (offset >= size || end < offset) {
    throw new RoostError('RANGE_NOT_SATISFIABLE', `the file has ${size} bytes`, [
      { field: 'range', reason: 'out_of_range', size },
    ]);
  }
  return { offset, length: end - offset + 1 };
}
