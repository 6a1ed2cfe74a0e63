import { createContext, type ReactNode, useContext, useEffect, useId } from 'react';

/** Of the tab: where one is, first. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Roost`;
  }, [title]);
}

type Level = 1 | 2;
/** Of the page's own heading: those of its sections are one lower. */
const PageLevel = createContext<Level>(1);

interface PageProps {
  title: string;
  /** Of the tab, where the title alone says too little. */
  tabTitle?: string;
  /** To the list that it belongs to. */
  back?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  /** 2 where a heading stands above it already. */
  level?: Level;
  children: ReactNode;
}

/** A page that scrolls: a heading with what can be done here, and the rest. */
export function Page({ title, tabTitle = title, back, about, actions, level = 1, children }: PageProps) {
  useTitle(tabTitle);
  const Heading = `h${level}` as const;
  return (
    <div className="mx-auto w-full max-w-6xl 3xl:max-w-7xl px-4 py-6 sm:px-8 sm:py-8">
      {back && <div className="-mt-2 pb-2">{back}</div>}
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 pb-6">
        <div className="min-w-0">
          <Heading className="text-xl font-semibold tracking-tight wrap-anywhere">{title}</Heading>
          {about && <p className="max-w-2xl pt-1 text-sm text-soft">{about}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      <PageLevel value={level}>{children}</PageLevel>
    </div>
  );
}

/** A titled part of a page. */
export function Section({
  title,
  about,
  actions,
  children,
}: {
  title: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const Heading = useContext(PageLevel) === 1 ? 'h2' : 'h3';
  const id = useId();
  return (
    <section aria-labelledby={id} className="rounded-2xl border border-line bg-surface">
      <header className="flex min-h-13 flex-wrap items-center justify-between gap-x-3 gap-y-1 px-5 pt-4">
        <div className="min-w-0 flex-1 basis-48">
          <Heading id={id} className="font-semibold">
            {title}
          </Heading>
          {about && <p className="max-w-2xl pt-0.5 text-sm text-soft">{about}</p>}
        </div>
        {actions}
      </header>
      <div className="px-5 pt-3 pb-5">{children}</div>
    </section>
  );
}
