import { escapeHtml } from './text.ts';

export interface Cell {
  readonly text: string;
  /** Beside the text and softer: an interval. */
  readonly detail?: string;
  /** What the column is sorted by, where it is not the text. */
  readonly sort?: number;
  readonly tone?: 'good' | 'bad' | 'soft' | undefined;
  /** A sentence, which may take several lines. */
  readonly isLong?: boolean;
}

export interface Column {
  readonly title: string;
  /** Shown where the pointer rests on the heading. */
  readonly about?: string;
  readonly numeric?: boolean;
}

/**
 * A table whose columns can be sorted by a press on their headings, and which scrolls within itself where it is wider
 * than the page. The first column names the rows.
 */
export function sortableTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string {
  const head = columns.map(({ title, about, numeric }) => {
    const hint = about === undefined ? '' : ` title="${escapeHtml(about)}"`;
    return `<th scope="col"${numeric === true ? ' class="n"' : ''}><button type="button"${hint}>${escapeHtml(title)}</button></th>`;
  });
  const body = rows.map((row) => {
    const cells = row.map((cell, c) => cellHtml(cell, c === 0, columns[c].numeric === true));
    return `<tr>${cells.join('')}</tr>`;
  });
  const name = escapeHtml(caption);
  return (
    `<div class="table"><p class="caption">${name}</p><div class="scroll" tabindex="0" role="region" aria-label="${name}">` +
    `<table class="sortable" aria-label="${name}"><thead><tr>${head.join('')}</tr></thead>` +
    `<tbody>${body.join('\n')}</tbody></table></div></div>`
  );
}

function cellHtml({ text, detail, sort, tone, isLong }: Cell, isName: boolean, isNumeric: boolean): string {
  const classes = [isNumeric ? 'n' : '', tone ?? '', isLong === true ? 'wide' : '']
    .filter((name) => name !== '')
    .join(' ');
  const attributes =
    (classes === '' ? '' : ` class="${classes}"`) +
    (sort === undefined || !Number.isFinite(sort) ? '' : ` data-sort="${Number(sort.toPrecision(8))}"`);
  const content = `${escapeHtml(text)}${detail === undefined ? '' : ` <small>${escapeHtml(detail)}</small>`}`;
  return isName ? `<th scope="row"${attributes}>${content}</th>` : `<td${attributes}>${content}</td>`;
}
