import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface CardProps {
  readonly title: string;
  /** Beside the title: what the whole card is about, or buttons. */
  readonly aside?: ComponentChildren;
  /** Without room around it, for tables. */
  readonly isFlush?: boolean;
  /** Scrolls within itself, for long lists. */
  readonly isShort?: boolean;
  readonly children: ComponentChildren;
}

export function Card({ title, aside, isFlush = false, isShort = false, children }: CardProps) {
  const id = useId();
  const body = `body${isFlush ? ' flush' : ''}${isShort ? ' short' : ''}`;
  return (
    <div class="card">
      <header>
        <h2 id={id}>{title}</h2>
        <span class="spring" />
        {aside}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class={body} aria-labelledby={id} tabIndex={0}>
        {children}
      </section>
    </div>
  );
}

export function Facts({
  of,
}: {
  readonly of: readonly (readonly [label: string, value: ComponentChildren] | null)[];
}) {
  return (
    <dl class="facts">
      {of.map(
        (fact) =>
          fact !== null && (
            <div class="fact" key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
