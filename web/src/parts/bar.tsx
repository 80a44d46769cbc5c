import type { ComponentChildren } from 'preact';
import './bar.css';

export interface BarProps {
  /** Parts of the bar one after the other, each a share of the whole width from 0 to 1. */
  readonly parts: readonly {
    readonly share: number;
    readonly tone: 'long' | 'short' | 'accent' | 'bad' | 'soft';
  }[];
  /** Where the bar is what the table is about. */
  readonly isWide?: boolean;
  /** The number, which says the same to whoever does not see the bar. */
  readonly children: ComponentChildren;
}

/** A number with a bar under it, so that a column of a table can be read like a chart. */
export function Bar({ parts, isWide = false, children }: BarProps) {
  return (
    <span class={isWide ? 'bar-cell wide' : 'bar-cell'}>
      <span>{children}</span>
      <span class="track" aria-hidden="true">
        {parts.map(({ share, tone }) => (
          <i key={tone} class={tone} style={{ width: `${100 * Math.min(Math.max(share, 0), 1)}%` }} />
        ))}
      </span>
    </span>
  );
}
