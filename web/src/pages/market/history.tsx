import type { History } from '../../answers.ts';
import { leverageText, reasonText, timeText, wordsOf } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';

type Entry = History['changes'][number];

/** When and how the schedule changed. */
export function Changes({ symbol }: { readonly symbol: string }) {
  const history = useResource<History>(`/v1/markets/${encodeURIComponent(symbol)}/history?limit=50`, {
    on: 'limits',
  });
  return (
    <Card
      title="Changes of the table"
      isFlush
      isShort
      aside={
        <DownloadButton name={`${symbol}-history.csv`} columns={COLUMNS} rows={history.data?.changes ?? []} />
      }
    >
      <Loaded from={history}>
        {({ changes }) => (
          <DataTable<Entry>
            caption={`Changes of ${symbol}, newest first`}
            columns={COLUMNS}
            rows={changes}
            keyOf={({ version }) => String(version)}
          />
        )}
      </Loaded>
    </Card>
  );
}

const COLUMNS: readonly Column<Entry>[] = [
  {
    id: 'version',
    head: 'Version',
    by: ({ version }) => version,
    cell: ({ version }) => version,
  },
  {
    id: 'effectiveAt',
    head: 'In force since',
    by: ({ effectiveAt }) => effectiveAt,
    cell: ({ effectiveAt }) => `${timeText(effectiveAt)}`,
  },
  {
    id: 'maxLeverage',
    head: 'Leverage',
    isNumber: true,
    by: ({ maxLeverage }) => maxLeverage,
    cell: ({ maxLeverage }) => leverageText(maxLeverage),
  },
  { id: 'move', head: 'Move', by: ({ move }) => move, cell: ({ move }) => <MoveText of={move} /> },
  {
    id: 'bindingBound',
    head: 'Held by',
    by: ({ bindingBound }) => bindingBound,
    cell: ({ bindingBound }) => wordsOf(bindingBound),
  },
  {
    id: 'reasons',
    head: 'Why',
    isWrapped: true,
    isMinor: true,
    csv: ({ reasons }) => reasons.join(' '),
    cell: ({ reasons }) => <span class="soft">{reasons.map(reasonText).join(', ')}</span>,
  },
];

function MoveText({ of }: { readonly of: string }) {
  const tone = of === 'tighten' ? 'down' : of === 'loosen' ? 'up' : 'soft';
  return <span class={tone}>{of}</span>;
}
