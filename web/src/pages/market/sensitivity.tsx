import type { Sensitivity } from '../../answers.ts';
import { leverageText, percentText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';

type Point = Sensitivity['points'][number];

interface Row {
  readonly leverage: number;
  readonly long: Point | undefined;
  readonly short: Point | undefined;
}

/** What more leverage would cost: the chance of a liquidation and the bad debt to be expected. */
export function Sensitivities({ symbol }: { readonly symbol: string }) {
  const found = useResource<Sensitivity>(`/v1/markets/${encodeURIComponent(symbol)}/sensitivity`, {
    on: 'limits',
  });
  const rows = rowsOf(found.data?.points ?? []);
  return (
    <Card
      title="By leverage"
      isFlush
      aside={
        <>
          {found.data !== null && <span class="note">within {found.data.horizonHours} h</span>}
          <DownloadButton name={`${symbol}-sensitivity.csv`} columns={COLUMNS} rows={rows} />
        </>
      }
    >
      <Loaded from={found}>
        {() => (
          <DataTable<Row>
            caption="Probability of liquidation and expected bad debt by leverage"
            columns={COLUMNS}
            rows={rows}
            keyOf={({ leverage }) => String(leverage)}
          />
        )}
      </Loaded>
    </Card>
  );
}

function rowsOf(points: readonly Point[]): readonly Row[] {
  const leverages = [...new Set(points.map(({ leverage }) => leverage))].toSorted((a, b) => a - b);
  return leverages.map((leverage) => {
    const at = (side: Point['side']): Point | undefined =>
      points.find((point) => point.leverage === leverage && point.side === side);
    return { leverage, long: at('long'), short: at('short') };
  });
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'leverage',
    head: 'Leverage',
    csv: ({ leverage }) => leverage,
    cell: ({ leverage }) => leverageText(leverage),
  },
  {
    id: 'longLiquidationProbability',
    head: 'Long liquidated',
    isNumber: true,
    csv: ({ long }) => long?.liquidationProbability ?? null,
    cell: ({ long }) => percentText(long?.liquidationProbability),
  },
  {
    id: 'shortLiquidationProbability',
    head: 'Short liquidated',
    isNumber: true,
    csv: ({ short }) => short?.liquidationProbability ?? null,
    cell: ({ short }) => percentText(short?.liquidationProbability),
  },
  {
    id: 'badDebtRatio',
    head: 'Bad debt, worse side',
    isNumber: true,
    csv: ({ long, short }) => Math.max(long?.badDebtRatio ?? 0, short?.badDebtRatio ?? 0),
    cell: ({ long, short }) => percentText(Math.max(long?.badDebtRatio ?? 0, short?.badDebtRatio ?? 0), 4),
  },
];
