import { memo, useMemo } from 'react';
import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { markdownBlocks } from './markdown-blocks.js';
import { visibleText } from './visible-text.js';

const OUTSIDE = /^(https?:|mailto:)/i;

/**
 * Elements of React are made of it, never HTML: what looks like a tag stays text. Nothing is loaded: pictures are links.
 * Links lead out of the dashboard in a tab of their own and say where to.
 */
const components: Components = {
  a: ({ href = '', children }) =>
    OUTSIDE.test(href) ? (
      <a href={href} title={visibleText(href)} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  img: ({ src, alt }) => {
    const address = typeof src === 'string' ? src : '';
    const text = `Picture: ${alt || address || 'without a name'}`;
    return OUTSIDE.test(address) ? (
      <a href={address} title={visibleText(address)} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    ) : (
      <span>{text}</span>
    );
  },
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  code: ({ className, children }) => (
    <code className={className}>{typeof children === 'string' ? visibleText(children) : children}</code>
  ),
  input: ({ checked }) => <input type="checkbox" checked={checked === true} readOnly disabled aria-label="Task" />,
};
const plugins = [remarkGfm];

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Markdown remarkPlugins={plugins} components={components}>
      {text}
    </Markdown>
  );
});

/** What a model wrote, or is writing: then only its last block is read anew. */
export function Prose({ text, isStreaming = false }: { text: string; isStreaming?: boolean }) {
  const blocks = useMemo(() => (isStreaming ? markdownBlocks(text) : [text]), [text, isStreaming]);
  return (
    <div dir="auto" className="prose">
      {blocks.map((block, index) => (
        <Block key={index} text={block} />
      ))}
    </div>
  );
}
