import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { useEffect, useRef, useState } from 'react';
import { languageOf } from './languages.js';
import { colours, theme } from './theme.js';

interface CodeEditorProps {
  label: string;
  /** What it begins with; give another `key` to begin anew. */
  text: string;
  /** By which its language is chosen. */
  name: string;
  /** Shown and marked first. */
  line?: number | undefined;
  onChange: (text: string) => void;
  onSave: () => void;
}

/**
 * CodeMirror. It stands in a shadow root: there it adopts its style sheets, in a document it would write a style element,
 * which the page's policy refuses. Tab leaves it; Ctrl-] and Ctrl-[ indent.
 */
export function CodeEditor({ label, text, name, line, onChange, onSave }: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const [first] = useState(text);
  const latest = useRef({ onChange, onSave });
  useEffect(() => {
    latest.current = { onChange, onSave };
  });
  useEffect(() => {
    const host = document.createElement('div');
    host.className = 'h-full font-mono';
    place.current?.append(host);
    const root = host.attachShadow({ mode: 'open' });
    const language = new Compartment();
    const state = EditorState.create({
      doc: first,
      extensions: [
        // What was read is written back with the ends of lines that it had.
        EditorState.lineSeparator.of(lineEndOf(first)),
        [lineNumbers(), foldGutter(), history(), drawSelection(), highlightActiveLine(), indentOnInput()],
        [highlightSpecialChars(), bracketMatching(), highlightSelectionMatches(), search({ top: true })],
        [theme, syntaxHighlighting(colours), language.of([]), EditorView.lineWrapping],
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current.onChange(update.state.sliceDoc());
        }),
        keymap.of([
          { key: 'Mod-s', preventDefault: true, run: () => (latest.current.onSave(), true) },
          ...[...searchKeymap, ...historyKeymap, ...foldKeymap, ...defaultKeymap],
        ]),
      ],
    });
    const view = new EditorView({ state, root, parent: root });
    if (line !== undefined) goToLine(view, line);
    let isThere = true;
    void languageOf(name).then((extension) => {
      if (isThere && extension) view.dispatch({ effects: language.reconfigure(extension) });
    });
    return () => {
      isThere = false;
      view.destroy();
      host.remove();
    };
  }, [label, first, name, line]);
  return <div ref={place} className="h-full min-h-0" />;
}

/** A file that mixes them keeps its lone carriage returns as characters, which are shown. */
const lineEndOf = (text: string): string => (/\r\n/.test(text) && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n');

function goToLine(view: EditorView, line: number): void {
  const { from } = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  view.focus();
}
