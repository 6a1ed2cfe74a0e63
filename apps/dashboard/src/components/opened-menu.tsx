import { DropdownMenu } from 'radix-ui';
import type { ReactElement } from 'react';
import { Icon } from './icon.js';
import type { MenuItem } from './menu-item.js';

/** Open from the start. Not modal: a modal one would write a style element, which the policy refuses. */
export function OpenedMenu({ items, children }: { items: MenuItem[]; children: ReactElement }) {
  return (
    <DropdownMenu.Root modal={false} defaultOpen>
      <DropdownMenu.Trigger asChild>{children}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="appear z-40 min-w-44 rounded-xl border border-line bg-surface p-1 shadow-raised"
        >
          {items.map(({ label, icon, onSelect, isDangerous = false, disabled = false }) => (
            <DropdownMenu.Item
              key={label}
              disabled={disabled}
              onSelect={onSelect}
              className={`flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm outline-none data-disabled:opacity-50 data-highlighted:bg-sunken ${isDangerous ? 'text-bad' : 'text-ink'}`}
            >
              <Icon name={icon} />
              {label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
