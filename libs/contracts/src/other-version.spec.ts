import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseFromOtherVersion } from './other-version.js';
import { Timestamp, wire } from './wire.js';

describe('what a service of another version sent', () => {
  const Part = z.union([wire({ textLine: z.string() }), wire({ fileName: z.string(), sizeBytes: z.number() })]);
  const Reply = wire({ madeAt: Timestamp, parts: z.array(Part), owner: wire({ id: z.string() }).optional() });
  const sent = {
    made_at: '2026-11-24T10:30:00.000Z',
    parts: [{ text_line: 'a' }, { file_name: 'b', size_bytes: 1 }],
    owner: { id: 'o' },
  };
  const read = {
    madeAt: new Date(sent.made_at),
    parts: [{ textLine: 'a' }, { fileName: 'b', sizeBytes: 1 }],
    owner: { id: 'o' },
  };

  it('is read as before where nothing was added, and is not changed', () => {
    expect(parseFromOtherVersion(Reply, sent)).toEqual(read);
  });

  it('is read without the fields that were added, on every level', () => {
    const newer = {
      ...sent,
      parts: [
        { text_line: 'a', tone: 'warm' },
        { file_name: 'b', size_bytes: 1, hash: 'x' },
      ],
      owner: { id: 'o', name: 'new' },
      added: { deep: true },
    };
    const before = structuredClone(newer);
    expect(parseFromOtherVersion(Reply, newer)).toEqual(read);
    expect(newer).toEqual(before);
  });

  it('is refused where a field is missing or of another kind, and an addition does not hide that', () => {
    expect(() => parseFromOtherVersion(Reply, { ...sent, made_at: 'yesterday', added: 1 })).toThrow(z.ZodError);
    expect(() => parseFromOtherVersion(Reply, { parts: [], added: 1 })).toThrow(z.ZodError);
  });
});
