import { cell } from './signal.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const NAME = 'plimsoll-theme';
const stored = localStorage.getItem(NAME) as Theme | null;
export const themeCell = cell<Theme>(stored !== null && THEMES.includes(stored) ? stored : 'system');

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  localStorage.setItem(NAME, theme);
  themeCell.set(theme);
}

/** What a colour of the style sheet is now: canvases cannot look it up. */
export function colour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Calls when light turns dark, by whoever's hand. */
export function onColours(listener: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', listener);
  const forget = themeCell.listen(listener);
  return () => {
    system.removeEventListener('change', listener);
    forget();
  };
}
