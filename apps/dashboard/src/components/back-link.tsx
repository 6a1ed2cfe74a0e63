import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes } from 'react';
import { Icon } from './icon.js';

/** To the list that a page belongs to. */
export const BackLink = createLink(({ children, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement>) => (
  <a {...rest} className="inline-flex min-h-6 items-center gap-1 text-sm text-soft hover:text-ink">
    <Icon name="chevron-left" />
    {children}
  </a>
));
