import { describe, expect, it } from 'vitest';
import { attachmentPath, partsOf, safeName, withFiles } from './attached-files.js';

describe('files that come with a message', () => {
  const files = [{ path: 'inbox/2026-11-29/a1-plan.pdf', size: 12 }];

  it('are named to the agent below the text, and shown apart from it', () => {
    const content = withFiles('Read this.', files);
    expect(content).toBe('Read this.\n\nFiles that came with this message:\n- inbox/2026-11-29/a1-plan.pdf (12 bytes)');
    expect(partsOf({ content, metadata: { files } })).toEqual({ text: 'Read this.', files });
    expect(partsOf({ content: withFiles('', files), metadata: { files } })).toEqual({ text: '', files });
  });

  it('are shown only where the text names them as well', () => {
    for (const metadata of [{}, { files: 'x' }, { files: [{ path: 1 }] }, { files: [{ path: 'other', size: 1 }] }])
      expect(partsOf({ content: 'Read this.', metadata })).toEqual({ text: 'Read this.', files: [] });
  });

  it('get names that are one segment of a path, show what they are, and meet no other', () => {
    expect(safeName('../../etc/passwd')).toBe('.._.._etc_passwd');
    expect(safeName('invoice\u202efdp.exe')).toBe('invoice_fdp.exe');
    expect(new TextEncoder().encode(safeName(`${'ü'.repeat(300)}.pdf`)).length).toBeLessThanOrEqual(200);
    expect(safeName('')).toBe('file');
    expect(attachmentPath('a.txt')).not.toBe(attachmentPath('a.txt'));
  });
});
