import { type ReactNode, useEffect } from 'react';

/** Of the tab: where one is, first. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Roost`;
  }, [title]);
}

/** A page that scrolls: a heading with what can be done here, and the rest. */
export function Page({
  title,
  about,
  actions,
  children,
}: {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useTitle(title);
  return (
    <div className="mx-auto w-full max-w-6xl 3xl:max-w-7xl px-4 py-6 sm:px-8 sm:py-8">
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 pb-6">
        <div className="min-w-0">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {about && <p className="max-w-2xl pt-1 text-sm text-soft">{about}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
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
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="rounded-2xl border border-line bg-surface">
      <header className="flex flex-wrap items-start justify-between gap-3 px-5 pt-4">
        <div className="min-w-0">
          <h2 className="font-semibold">{title}</h2>
          {about && <p className="max-w-2xl pt-0.5 text-sm text-soft">{about}</p>}
        </div>
        {actions}
      </header>
      <div className="px-5 pt-3 pb-5">{children}</div>
    </section>
  );
}
