import { useRef } from 'preact/hooks';
import { useSettled } from '../settled.ts';

export interface SparklineProps {
  /** Oldest first; null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** Steps hold until the next value, as limits do; lines go on to it, as prices do. */
  readonly isStep?: boolean;
  readonly label: string;
}

const WIDTH = 112;
const HEIGHT = 24;
const MARGIN = 2;
const ROOM = { width: `${WIDTH}px`, height: `${HEIGHT}px` };
/** How long one value alone is drawn. */
const ALONE = 6;

/** A small chart in one path, drawn once it stands still in sight, so that hundreds of them scroll. */
export function Sparkline({ values, isStep = false, label }: SparklineProps) {
  const place = useRef<HTMLSpanElement>(null);
  const path = useSettled(place) ? pathOf(values, isStep) : '';
  return (
    <span class="sparkline" ref={place} role="img" aria-label={label} style={ROOM}>
      {path !== '' && (
        <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
          <path d={path} fill="none" stroke="var(--accent)" stroke-width="1.4" />
        </svg>
      )}
    </span>
  );
}

export function pathOf(values: readonly (number | null)[], isStep: boolean): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const least = Math.min(...known);
  const span = Math.max(...known) - least;
  const y = (value: number): number =>
    span === 0 ? HEIGHT / 2 : HEIGHT - MARGIN - ((value - least) / span) * (HEIGHT - 2 * MARGIN);
  const x = (index: number): number =>
    MARGIN + (index / Math.max(values.length - 1, 1)) * (WIDTH - 2 * MARGIN);
  let path = '';
  let isDown = false;
  let last = 0;
  for (const [i, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const [left, top] = [round(x(i)), round(y(value))];
    if (!isDown) path += `M${left} ${top}`;
    else path += isStep ? `H${left}V${top}` : `L${left} ${top}`;
    isDown = true;
    last = i;
  }
  // One value alone would be a point that nobody sees.
  if (known.length === 1) path += `H${round(x(last) > WIDTH / 2 ? x(last) - ALONE : x(last) + ALONE)}`;
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
