import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useState } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { AGENT_TABS } from '../agents/agent-tabs.js';
import { Icon } from '../components/icon.js';
import type { IconName } from '../components/icon-name.js';
import { Modal } from '../components/modal.js';
import { useSignOut } from '../session/session.js';
import { useNavigation } from './navigation.js';

interface Command {
  id: string;
  label: string;
  /** What kind of thing it is, or where it leads. */
  about: string;
  icon: IconName;
  run: () => void;
}

const MAX_SHOWN = 50;

/** Whatever can be gone to or done, by a few letters of it. */
export function CommandPalette({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal
      isOpen={isOpen}
      onClose={onClose}
      aria-label="Search and commands"
      className="mx-auto mt-[12dvh] mb-auto max-w-xl"
    >
      <Palette onClose={onClose} />
    </Modal>
  );
}

function Palette({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const listId = useId();
  const found = matching(useCommands(), query);
  const chosen = found[Math.min(at, found.length - 1)];
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined)
      setAt((from) => (Math.min(from, found.length - 1) + step + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter') run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Icon name="search" className="text-faint" />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={chosen && `${listId}-${chosen.id}`}
          aria-label="Search agents, screens and commands"
          placeholder="An agent, a screen, a command …"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className="min-h-12 grow bg-transparent outline-none placeholder:text-faint"
        />
      </div>
      <ul id={listId} role="listbox" aria-label="Results" className="max-h-[min(24rem,50dvh)] overflow-y-auto p-1.5">
        {found.map((command) => (
          <li
            key={command.id}
            id={`${listId}-${command.id}`}
            role="option"
            aria-selected={command === chosen}
            ref={(element) => {
              if (command === chosen) element?.scrollIntoView({ block: 'nearest' });
            }}
            onClick={() => run(command)}
            onMouseMove={() => setAt(found.indexOf(command))}
            className="flex min-h-10 cursor-pointer items-center gap-3 rounded-lg px-2.5 text-sm aria-selected:bg-accent-soft"
          >
            <Icon name={command.icon} className="text-faint" />
            <span className="min-w-0 grow truncate">{command.label}</span>
            <span className="text-xs text-faint">{command.about}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="px-4 pb-4 text-sm text-soft">Nothing is called so.</p>}
    </>
  );
}

function useCommands(): Command[] {
  const navigate = useNavigate();
  const agents = useQuery(agentsQuery).data ?? [];
  const signOut = useSignOut();
  const destinations = useNavigation();
  return [
    ...destinations.map(({ to, label, icon }) => ({
      id: to,
      label,
      icon,
      about: 'Screen',
      run: () => void navigate({ to }),
    })),
    { id: 'new', label: 'New agent', icon: 'plus', about: 'Command', run: () => void navigate({ to: '/agents/new' }) },
    ...agents.flatMap(({ id, name }) =>
      AGENT_TABS.map(({ to, label, icon }) => ({
        id: `${id}-${label}`,
        label: `${name}`,
        icon,
        about: label,
        run: () => void navigate({ to, params: { agentId: id } }),
      })),
    ),
    {
      id: 'docs',
      label: 'API reference',
      icon: 'book-open',
      about: 'Command',
      run: () => window.location.assign('/docs'),
    },
    { id: 'out', label: 'Sign out', icon: 'log-out', about: 'Command', run: () => signOut.mutate() },
  ];
}

/** Those that hold every word that was typed. */
function matching(commands: Command[], query: string): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter(({ label, about }) => {
    const text = `${label} ${about}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return found.slice(0, MAX_SHOWN);
}
