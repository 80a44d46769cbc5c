import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Scrolling is over when nothing has scrolled for so long. */
const STILL_MILLISECONDS = 120;

const waiting = new Map<Element, () => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * True from the first time on at which an element is in sight, or a screen away from it, while nothing scrolls: what only decorates a long
 * page is not drawn while it flies by, where every frame counts.
 */
export function useSettled(place: RefObject<Element | null>): boolean {
  const [isSettled, setSettled] = useState(false);
  useLayoutEffect(() => {
    const own = place.current;
    if (own === null || isSettled) return;
    waiting.set(own, () => setSettled(true));
    lookIn(0);
    return () => {
      waiting.delete(own);
    };
  }, [isSettled]);
  return isSettled;
}

function lookIn(milliseconds: number): void {
  if (waiting.size === 0) return;
  clearTimeout(timer);
  timer = setTimeout(look, milliseconds);
}

function look(): void {
  const near = [...waiting].filter(([element]) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > -innerHeight && top < 2 * innerHeight;
  });
  for (const [element, show] of near) {
    waiting.delete(element);
    show();
  }
}

// Whatever scrolls, the page or a part of it.
const scrolled = (): void => lookIn(STILL_MILLISECONDS);
if (typeof addEventListener === 'function') {
  addEventListener('scroll', scrolled, { capture: true, passive: true });
  addEventListener('resize', scrolled);
}
