import { cloneElement, lazy, type KeyboardEvent, type ReactElement, Suspense, useState } from 'react';
import { IconButton } from './button.js';
import type { MenuItem } from './menu-item.js';

type Trigger = ReactElement<React.ButtonHTMLAttributes<HTMLButtonElement>>;

const load = () => import('./opened-menu.js');
const OpenedMenu = lazy(async () => ({ default: (await load()).OpenedMenu }));

/**
 * What else can be done with a thing. Lists have one in every line: until it is opened for the first time it is a button
 * alone, and its code is loaded when somebody comes near.
 */
export function Menu({ label, items, children }: { label: string; items: MenuItem[]; children?: Trigger }) {
  const [isUsed, setUsed] = useState(false);
  const trigger = children ?? <IconButton icon="ellipsis" label={label} />;
  const closed = cloneElement(trigger, {
    'aria-haspopup': 'menu',
    'aria-expanded': false,
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
    onClick: () => setUsed(true),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'ArrowDown') return;
      event.preventDefault();
      setUsed(true);
    },
  });
  if (!isUsed) return closed;
  return (
    <Suspense fallback={closed}>
      <OpenedMenu items={items}>{trigger}</OpenedMenu>
    </Suspense>
  );
}
