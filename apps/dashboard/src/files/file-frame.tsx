import { type ReactNode, useState } from 'react';

interface FileFrameProps {
  title: ReactNode;
  menu: ReactNode;
  /** `toolsIn`: the header's part for what can be done with a text. */
  children: (toolsIn: HTMLElement | null) => ReactNode;
}

/** What a file is shown in. Its header stays while the content comes and changes: a menu that is open stays open. */
export function FileFrame({ title, menu, children }: FileFrameProps) {
  const [toolsIn, setToolsIn] = useState<HTMLElement | null>(null);
  return (
    <div className="flex h-full flex-col">
      <header className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-3 py-1.5 sm:px-4">
        {title}
        <div ref={setToolsIn} className="contents" />
        {menu}
      </header>
      {children(toolsIn)}
    </div>
  );
}
