import type { Approval } from '@roost-ai/sdk';
import { ExactText } from './exact-text.js';

export type Question = NonNullable<Approval['question']>;

/** What is asked, with nothing of it hidden: a model or an MCP server wrote it. */
export function QuestionView({ question: { question, url } }: { question: Question }) {
  return (
    <div className="space-y-3">
      <ExactText label="Question" text={question} />
      {url && (
        <>
          <ExactText label="Page to open" text={url} />
          <p className="text-sm">
            <a href={url} target="_blank" rel="noopener noreferrer" className="font-medium underline">
              Open {hostOf(url)}
            </a>
          </p>
        </>
      )}
    </div>
  );
}

/** As the browser will understand it: letters of other scripts are written out. */
function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'the page';
  }
}
