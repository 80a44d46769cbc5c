import { useEffect } from 'preact/hooks';
import { SECTIONS } from './pages.tsx';
import { go } from './route.ts';

const LETTER_MILLISECONDS = 1200;

/** Keys that work on every page; never while somebody types. */
export function useShortcuts(showHelp: () => void): void {
  useEffect(() => {
    let isGoing = false;
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const isTyping =
        /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || document.querySelector('dialog[open]');
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isGoing) {
        isGoing = false;
        const section = SECTIONS.find(({ letter }) => letter === event.key);
        if (section !== undefined) {
          event.preventDefault();
          go(section.path);
        }
      } else if (event.key === 'g') {
        isGoing = true;
        setTimeout(() => {
          isGoing = false;
        }, LETTER_MILLISECONDS);
      } else if (event.key === '?') showHelp();
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type=search]');
        if (search === null) go([]);
        else search.focus();
        event.preventDefault();
      } else if (event.key === '[' || event.key === ']')
        document.querySelector<HTMLAnchorElement>(event.key === '[' ? 'a[rel=prev]' : 'a[rel=next]')?.click();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
