import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const docs = fileURLToPath(new URL('../', import.meta.url));

/** Pages of a folder by their first heading. */
const pagesOf = (folder) =>
  readdirSync(join(docs, folder))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => ({
      text: /^# (.+)$/m.exec(readFileSync(join(docs, folder, name), 'utf8'))?.[1] ?? name,
      link: `/${join(folder, name.replace(/\.md$/, ''))}`,
    }));

/** The order in which the guide's first page names its pages. */
const guide = [...readFileSync(join(docs, 'guide/README.md'), 'utf8').matchAll(/\]\(([\w-]+)\.md\)/g)].map(
  ([, name]) => `/guide/${name}`,
);
const byGuide = (one, other) => guide.indexOf(one.link) - guide.indexOf(other.link);

export default defineConfig({
  title: 'Roost',
  description: 'The guide of Roost, the self-hosted platform for always-on AI agents',
  outDir: fileURLToPath(new URL('../../dist-guide', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../node_modules/.cache', import.meta.url)),
  base: '/docs/',
  // A folder's first page is its README here and its index there: links between pages stay as they are.
  rewrites: (id) => id.replace(/(^|\/)README\.md$/, '$1index.md'),
  // Those that lead out of docs/ are shown as text, see below.
  ignoreDeadLinks: true,
  lastUpdated: false,
  markdown: {
    // Our pages are Markdown and nothing else: no tags, no attributes, and `{{…}}` is a placeholder of ours, not Vue's.
    html: false,
    attrs: { disable: true },
    config(markdown) {
      markdown.renderer.rules.code_inline = (tokens, index) =>
        `<code v-pre>${markdown.utils.escapeHtml(tokens[index].content)}</code>`;
      markdown.renderer.rules.text = (tokens, index) =>
        markdown.utils.escapeHtml(tokens[index].content).replace(/\{\{/g, '&#123;&#123;');
      markdown.core.ruler.push('links-out-of-docs', withoutOuterLinks);
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/guide/' },
      { text: 'API', link: '/docs', target: '_self' },
    ],
    sidebar: [
      { text: 'Guide', items: pagesOf('guide').sort(byGuide) },
      { text: 'Chats', items: pagesOf('channels') },
      { text: 'More', items: pagesOf('.') },
      { text: 'Decisions', collapsed: true, items: pagesOf('decisions') },
    ],
  },
});

/** Takes away links to files that are not pages of the site. */
function withoutOuterLinks(state) {
  const depth = (state.env.relativePath ?? '').split('/').length - 1;
  for (const { children } of state.tokens) {
    if (!children) continue;
    let isOuter = false;
    for (const token of children) {
      if (token.type === 'link_open') {
        const href = token.attrGet('href') ?? '';
        isOuter = (href.match(/^(\.\.\/)+/)?.[0].length ?? 0) / 3 > depth;
        if (isOuter) token.tag = 'span';
      } else if (token.type === 'link_close' && isOuter) {
        token.tag = 'span';
        isOuter = false;
      }
    }
  }
}
