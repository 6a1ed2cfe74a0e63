import { Link } from '@tanstack/react-router';
import { Icon } from '../components/icon.js';
import { TEMPLATES } from './templates.js';

/** What an agent can begin from; `chosen` is marked. A choice replaces the page's address where `onChoose` is given. */
export function TemplateList({ chosen, onChoose }: { chosen?: string | undefined; onChoose?: () => void }) {
  return (
    <ul className={`grid gap-2 text-left sm:grid-cols-2 ${onChoose ? 'xl:grid-cols-4' : ''}`}>
      {TEMPLATES.map(({ id, title, about, icon }) => {
        const current = { 'aria-current': chosen === id ? 'true' : undefined } as const;
        return (
          <li key={id}>
            <Link
              to="/agents/new"
              search={{ template: id }}
              replace={onChoose !== undefined}
              {...(onChoose ? { onClick: onChoose } : {})}
              {...current}
              activeProps={current}
              className="flex h-full gap-3 rounded-xl border border-line bg-surface p-3 text-ink hover:border-accent aria-[current]:border-accent aria-[current]:bg-accent-soft"
            >
              <Icon name={icon} className="mt-1 text-accent" />
              <span>
                <span className="block font-medium">{title}</span>
                <span className="block text-sm text-soft">{about}</span>
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
