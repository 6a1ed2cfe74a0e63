import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => join(folder, name));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'apps', 'libs', 'packages', 'tools', 'bench', 'test', 'examples'].flatMap(markdownIn),
];

/** The names under which a page's headings can be linked to, as GitHub makes them. */
const anchorsOf = (page: string) =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );

/** Pages name files from where they stand: the end of the path has to be that of a file. */
const sources = ['apps', 'libs', 'packages', 'tools', 'bench', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `/${folder}/${name}`),
);

describe('decision records', () => {
  const records = readdirSync(join(root, 'docs/decisions')).filter((name) => name !== 'README.md');

  it('have unbroken numbers, one form of heading, and a status', () => {
    records.forEach((name, index) => {
      const number = String(index + 1).padStart(4, '0');
      expect(name).toMatch(new RegExp(`^${number}-[a-z0-9-]+\\.md$`));
      expect(read(`docs/decisions/${name}`)).toMatch(
        new RegExp(`^# ${number}: .+\\n\\n\\*\\*Status\\.\\*\\* (Accepted|Superseded)`),
      );
    });
  });

  it('are all in the index', () => {
    const index = read('docs/decisions/README.md');
    expect(records.filter((name) => !index.includes(`](${name}) |`))).toEqual([]);
  });
});

describe('pages', () => {
  it.each(pages)('link to what is there: %s', (page) => {
    // Examples within code are not links.
    const links = [
      ...read(page)
        .replace(/`[^`]*`/g, '')
        .matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g),
    ].map(([, link = '']) => link);
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(page), link)));
    expect(broken).toEqual([]);
  });

  it.each(pages)('link to headings that are there: %s', (page) => {
    const links = [
      ...read(page)
        .replace(/`[^`]*`/g, '')
        .matchAll(/\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)/g),
    ];
    const broken = links.filter(([, file = '', heading = '']) => {
      const target = file === '' ? page : join(dirname(page), file);
      return target.endsWith('.md') && !anchorsOf(target).includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it.each(pages)('name files that are there: %s', (page) => {
    const named = [...read(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs))`/g)].map(([, file = '']) => file);
    const missing = named.filter((file) => !sources.some((source) => source.endsWith(`/${file}`)));
    expect(missing).toEqual([]);
  });
});
