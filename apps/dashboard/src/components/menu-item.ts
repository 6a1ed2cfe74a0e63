import type { IconName } from './icon-name.js';

/** One thing that a menu does. */
export interface MenuItem {
  label: string;
  icon: IconName;
  onSelect: () => void;
  isDangerous?: boolean;
  disabled?: boolean;
}
