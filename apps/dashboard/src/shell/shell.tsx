import { useQuery } from '@tanstack/react-query';
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { IconButton } from '../components/button.js';
import { sessionQuery } from '../session/session.js';
import { Brand } from './brand.js';
import { CommandPalette } from './command-palette.js';
import { Sidebar } from './sidebar.js';

/** What stands around every screen: navigation on the left, or behind a button where the screen is narrow. */
export function Shell() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const drawer = useRef<HTMLDialogElement>(null);
  const { pathname, href } = useRouterState({ select: (state) => state.location });
  useSignedOut(href);
  useEffect(() => drawer.current?.close(), [pathname]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // With more keys it means something else, as in an editor.
      if (!(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey || event.key !== 'k') return;
      event.preventDefault();
      setPaletteOpen((isOpen) => !isOpen);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  const openPalette = () => {
    drawer.current?.close();
    setPaletteOpen(true);
  };

  return (
    <div className="flex h-dvh flex-col lg:flex-row">
      <a
        href="#content"
        className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="flex shrink-0 items-center justify-between border-b border-line bg-surface px-2 py-1.5 lg:hidden">
        <IconButton icon="menu" label="Menu" onClick={() => drawer.current?.showModal()} />
        <Brand />
        <IconButton icon="search" label="Search and commands" onClick={openPalette} />
      </header>
      <dialog
        ref={drawer}
        aria-label="Menu"
        onClick={(event) => event.target === drawer.current && drawer.current.close()}
        className="m-0 h-dvh max-h-none w-72 max-w-[85vw] border-r border-line bg-surface p-0 backdrop:bg-black/50 lg:hidden"
      >
        <Sidebar onSearch={openPalette} onClose={() => drawer.current?.close()} />
      </dialog>
      <aside aria-label="Sidebar" className="hidden w-64 shrink-0 border-r border-line bg-surface lg:block 3xl:w-80">
        <Sidebar onSearch={openPalette} />
      </aside>
      <main
        id="content"
        tabIndex={-1}
        className="relative min-h-0 min-w-0 grow scroll-pb-20 overflow-y-auto outline-none"
      >
        <Outlet />
      </main>
      <CommandPalette isOpen={isPaletteOpen} onClose={() => setPaletteOpen(false)} />
    </div>
  );
}

/** A session that ends, here or in another tab, leads to signing in, and from there back. */
function useSignedOut(href: string): void {
  const { data } = useQuery(sessionQuery);
  const navigate = useNavigate();
  useEffect(() => {
    // This still stands for a moment when the address is the new one.
    if (data === null && !href.startsWith('/sign-in'))
      void navigate({ to: '/sign-in', search: { to: href }, replace: true });
  }, [data, href, navigate]);
}
