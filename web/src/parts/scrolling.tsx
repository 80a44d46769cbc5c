import type { ComponentChildren } from 'preact';

/** A table that is one of several things in a card scrolls for itself. */
export function Scrolling({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scrolling" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
