import type { Scale } from './scale.ts';
import { escapeHtml } from './text.ts';

/** What a chart is drawn with: a share of the report's words and of its colours, never a colour by itself. */
export interface ChartFrame {
  /** Unique within the report. */
  readonly id: string;
  /** What the chart shows, for those who do not see it as well. */
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  /** Room for the labels of the vertical axis, where they are long. */
  readonly left?: number;
}

export interface Axis {
  readonly scale: Scale;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly label: string;
}

/** Room around the plot for labels. */
export const MARGIN = { top: 12, right: 14, bottom: 46, left: 62 } as const;

/** Half of the widest label below, so that the last one stays on the drawing and none lies on another. */
const LABEL_HALF = 30;

/** The ranges of the two scales of a chart of this size. */
export function plotRanges(
  width: number,
  height: number,
  left: number = MARGIN.left,
): { readonly x: readonly [number, number]; readonly y: readonly [number, number] } {
  return { x: [left, width - MARGIN.right], y: [height - MARGIN.bottom, MARGIN.top] };
}

/** Axes, grid and what is drawn on them, as inline SVG that grows and shrinks with its place. */
export function chart(frame: ChartFrame, marks: readonly string[]): string {
  const { id, title, description, width, height, x, y } = frame;
  const ranges = plotRanges(width, height, frame.left);
  const [left, right] = ranges.x;
  const [bottom, top] = ranges.y;
  let taken = Number.NEGATIVE_INFINITY;
  const xTicks = x.ticks.flatMap(({ at, label }) => {
    const middle = Math.min(x.scale(at), width - LABEL_HALF);
    if (middle - taken < 2 * LABEL_HALF) return [];
    taken = middle;
    return [
      `<text class="tick" x="${place(middle)}" y="${bottom + 18}" text-anchor="middle">${escapeHtml(label)}</text>`,
    ];
  });
  const yTicks = y.ticks.map(
    ({ at, label }) =>
      `<line class="grid" x1="${left}" x2="${right}" y1="${place(y.scale(at))}" y2="${place(y.scale(at))}"/>` +
      `<text class="tick" x="${left - 8}" y="${place(y.scale(at) + 4)}" text-anchor="end">${escapeHtml(label)}</text>`,
  );
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">` +
    `<title id="${id}-t">${escapeHtml(title)}</title><desc id="${id}-d">${escapeHtml(description)}</desc>` +
    `<g>${yTicks.join('')}${xTicks.join('')}</g>` +
    `<text class="axis" x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle">${escapeHtml(x.label)}</text>` +
    `<text class="axis up" transform="translate(14 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>` +
    `<g>${marks.join('')}</g><line class="base" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/></svg>`
  );
}

/** A line through points that are there; it breaks where one is not. */
export function polyline(
  className: string,
  points: readonly (readonly [number, number])[],
  x: Scale,
  y: Scale,
): string {
  let path = '';
  let pen = 'M';
  for (const [a, b] of points) {
    if (!Number.isFinite(a) || !Number.isFinite(b)) {
      pen = 'M';
      continue;
    }
    path += `${pen}${place(x(a))} ${place(y(b))}`;
    pen = 'L';
  }
  return path === '' ? '' : `<path class="line ${className}" d="${path}"/>`;
}

/** The area between two lines over the same places. */
export function ribbon(
  className: string,
  points: readonly (readonly [at: number, low: number, high: number])[],
  x: Scale,
  y: Scale,
): string {
  const known = points.filter((point) => point.every(Number.isFinite));
  if (known.length < 2) return '';
  const upper = known.map(([at, , high]) => `${place(x(at))} ${place(y(high))}`);
  const lower = known.toReversed().map(([at, low]) => `${place(x(at))} ${place(y(low))}`);
  return `<path class="ribbon ${className}" d="M${[...upper, ...lower].join('L')}Z"/>`;
}

/** A dot with its words, shown by the browser where the pointer rests. */
export function dot(className: string, cx: number, cy: number, radius: number, words: string): string {
  return `<circle class="dot ${className}" cx="${place(cx)}" cy="${place(cy)}" r="${radius}"><title>${escapeHtml(words)}</title></circle>`;
}

export function segment(className: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${className}" x1="${place(x1)}" y1="${place(y1)}" x2="${place(x2)}" y2="${place(y2)}"/>`;
}

/** A tenth of a unit is finer than a screen, and few characters. */
export function place(value: number): string {
  return String(Math.round(10 * value) / 10);
}

/** Drawings side by side where there is room, below each other where not. */
export function figure(
  caption: string,
  panels: readonly { readonly heading: string; readonly svg: string }[],
  legend: readonly (readonly [className: string, words: string])[],
): string {
  const keys = legend.map(
    ([className, words]) => `<li><span class="key ${className}"></span>${escapeHtml(words)}</li>`,
  );
  const drawn = panels.map(
    ({ heading, svg }) =>
      `<div class="panel">${heading === '' ? '' : `<h4>${escapeHtml(heading)}</h4>`}${svg}</div>`,
  );
  return (
    `<figure>${keys.length === 0 ? '' : `<ul class="legend">${keys.join('')}</ul>`}` +
    `<div class="panels${panels.length === 1 ? ' single' : ''}">${drawn.join('')}</div>` +
    `<figcaption>${caption}</figcaption></figure>`
  );
}
