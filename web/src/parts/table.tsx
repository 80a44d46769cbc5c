import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { type CsvValue, csvText, download } from '../csv.ts';
import { placeCell, refine } from '../route.ts';
import { useCell } from '../signal.ts';

export interface Column<Row> {
  readonly id: string;
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** In the order of this; a column without it is not sorted by. Null comes last. */
  readonly by?: (row: Row) => number | string | null;
  /** In the file; what it is sorted by where it does not say. */
  readonly csv?: (row: Row) => CsvValue;
  readonly isNumber?: boolean;
  /** Left out on a phone. */
  readonly isMinor?: boolean;
  /** May be broken into lines. */
  readonly isWrapped?: boolean;
}

export interface TableProps<Row> {
  /** Names the table for whoever cannot see it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** The column that names the row; the first where it does not say. */
  readonly nameColumn?: string;
  /** Name of the query parameter that says what it is sorted by, so that a link keeps it. Without it nothing is sorted. */
  readonly sortName?: string;
  readonly classOf?: (row: Row) => string | undefined;
}

export function DataTable<Row>({
  caption,
  columns,
  rows,
  keyOf,
  nameColumn = columns[0].id,
  sortName,
  classOf,
}: TableProps<Row>) {
  const { query } = useCell(placeCell);
  const sort = sortName === undefined ? '' : (query.get(sortName) ?? '');
  const sorted = useMemo(() => sortedRows(rows, columns, sort), [rows, columns, sort]);
  return (
    <table>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ id, head, by, isNumber, isMinor }) => (
            <th
              key={id}
              scope="col"
              class={classes({ number: isNumber, 'hide-narrow': isMinor })}
              {...(sortName === undefined || by === undefined ? {} : { 'aria-sort': directionOf(sort, id) })}
            >
              {sortName === undefined || by === undefined ? (
                head
              ) : (
                <button type="button" onClick={() => refine({ [sortName]: nextSort(sort, id, isNumber) })}>
                  {head}
                </button>
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted.map((row) => (
          <tr key={keyOf(row)} class={classOf?.(row)}>
            {columns.map(({ id, cell, isNumber, isMinor, isWrapped }) => {
              const own = classes({ number: isNumber, 'hide-narrow': isMinor, wrap: isWrapped });
              return id === nameColumn ? (
                <th key={id} scope="row" class={own}>
                  {cell(row)}
                </th>
              ) : (
                <td key={id} class={own}>
                  {cell(row)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the table shows as a file. */
export function DownloadButton<Row>({
  name,
  columns,
  rows,
}: {
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
}) {
  const save = (): void => {
    const told = columns.filter(({ by, csv }) => by !== undefined || csv !== undefined);
    const csvOf = (row: Row, { by, csv }: Column<Row>): CsvValue => (csv ?? by)?.(row) ?? null;
    download(
      name,
      csvText(
        told.map(({ id }) => id),
        rows.map((row) => told.map((column) => csvOf(row, column))),
      ),
    );
  };
  return (
    <button type="button" class="quiet" aria-label="Download CSV" onClick={save} disabled={rows.length === 0}>
      CSV <span aria-hidden="true">↓</span>
    </button>
  );
}

/** @param sort the id of a column, with a minus before it for the largest first. */
function sortedRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: string,
): readonly Row[] {
  const isDown = sort.startsWith('-');
  const by = columns.find(({ id }) => id === sort.replace(/^-/, ''))?.by;
  if (by === undefined) return rows;
  const order = isDown ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [by(a), by(b)];
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return left < right ? -order : left > right ? order : 0;
  });
}

function directionOf(sort: string, id: string): 'ascending' | 'descending' | 'none' {
  if (sort === id) return 'ascending';
  return sort === `-${id}` ? 'descending' : 'none';
}

/** The largest first where it is numbers, then the other way round, then as it came. */
function nextSort(sort: string, id: string, isNumber = false): string | null {
  const [first, second] = isNumber ? [`-${id}`, id] : [id, `-${id}`];
  if (sort === first) return second;
  return sort === second ? null : first;
}

function classes(names: Readonly<Record<string, boolean | undefined>>): string | undefined {
  const own = Object.keys(names).filter((name) => names[name]);
  return own.length === 0 ? undefined : own.join(' ');
}
