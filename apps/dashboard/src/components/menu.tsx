import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { IconButton } from './button.js';
import { Icon } from './icon.js';
import type { IconName } from './icon-name.js';

export interface MenuItem {
  label: string;
  icon: IconName;
  onSelect: () => void;
  isDangerous?: boolean;
  disabled?: boolean;
}

/** What else can be done with a thing. Not modal: a modal one would write a style element, which the policy refuses. */
export function Menu({ label, items, children }: { label: string; items: MenuItem[]; children?: ReactNode }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{children ?? <IconButton icon="ellipsis" label={label} />}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="appear z-40 min-w-44 rounded-xl border border-line bg-surface p-1 shadow-raised"
        >
          {items.map(({ label: text, icon, onSelect, isDangerous = false, disabled = false }) => (
            <DropdownMenu.Item
              key={text}
              disabled={disabled}
              onSelect={onSelect}
              className={`flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm outline-none data-disabled:opacity-50 data-highlighted:bg-sunken ${isDangerous ? 'text-bad' : 'text-ink'}`}
            >
              <Icon name={icon} />
              {text}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
