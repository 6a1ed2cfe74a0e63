import { Link, type LinkProps } from '@tanstack/react-router';
import { useCurrentShown } from './use-current-shown.js';

/** Screens that belong together, each with an address of its own. */
export function PageTabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { to: NonNullable<LinkProps['to']>; label: string }[];
}) {
  const nav = useCurrentShown();
  return (
    <nav ref={nav} aria-label={label} className="-mt-2 mb-5 flex gap-1 overflow-x-auto border-b border-line">
      {tabs.map(({ to, label: text }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          className="-mb-px flex min-h-10 shrink-0 items-center border-b-2 border-transparent px-2.5 text-sm whitespace-nowrap text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink"
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
