import type { Forecast } from '../../answers.ts';
import { percentText, timeText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';

type Cell = Forecast['forecasts'][number];

/** VaR and ES of the worst loss, by horizon, side and confidence. */
export function Forecasts({ symbol }: { readonly symbol: string }) {
  const forecast = useResource<Forecast>(`/v1/markets/${encodeURIComponent(symbol)}/forecast`, {
    on: 'limits',
  });
  const cells = forecast.data?.forecasts ?? [];
  return (
    <Card
      title="Forecast"
      isFlush
      aside={
        <>
          {forecast.data !== null && (
            <span class="note">
              <code>{forecast.data.model}</code>, data until {timeText(forecast.data.asOf)}
            </span>
          )}
          <DownloadButton name={`${symbol}-forecast.csv`} columns={CSV_COLUMNS} rows={cells} />
        </>
      }
    >
      <Loaded from={forecast}>{() => <Cells of={cells} />}</Loaded>
    </Card>
  );
}

interface Row {
  readonly horizonHours: number;
  readonly side: string;
  readonly cells: readonly Cell[];
}

function Cells({ of }: { readonly of: readonly Cell[] }) {
  if (of.length === 0) return <p class="empty">Nothing is forecast for this market.</p>;
  const confidences = [...new Set(of.map(({ confidence }) => confidence))].toSorted((a, b) => a - b);
  const rows: Row[] = [];
  for (const cell of of) {
    const { horizonHours, side } = cell;
    if (!rows.some((row) => row.horizonHours === horizonHours && row.side === side))
      rows.push({
        horizonHours,
        side,
        cells: of.filter((other) => other.horizonHours === horizonHours && other.side === side),
      });
  }
  rows.sort((a, b) => a.horizonHours - b.horizonHours || (a.side < b.side ? -1 : 1));
  const columns: readonly Column<Row>[] = [
    { id: 'horizon', head: 'Horizon', cell: ({ horizonHours }) => `${horizonHours} h` },
    { id: 'side', head: 'Side', cell: ({ side }) => side },
    ...confidences.map((confidence) => ({
      id: String(confidence),
      head: `VaR · ES ${percentText(confidence, 1)}`,
      isNumber: true,
      cell: ({ cells }: Row) => {
        const own = cells.find((cell) => cell.confidence === confidence);
        if (own === undefined) return '–';
        return (
          <>
            {percentText(own.valueAtRisk, 1)}{' '}
            <span class="soft">{percentText(own.expectedShortfall, 1)}</span>
          </>
        );
      },
    })),
  ];
  return (
    <DataTable<Row>
      caption="VaR and expected shortfall of the worst loss, by horizon and side"
      columns={columns}
      rows={rows}
      keyOf={({ horizonHours, side }) => `${horizonHours} ${side}`}
    />
  );
}

const CSV_COLUMNS: readonly Column<Cell>[] = [
  { id: 'side', head: '', cell: () => null, csv: ({ side }) => side },
  { id: 'horizonHours', head: '', cell: () => null, csv: ({ horizonHours }) => horizonHours },
  { id: 'confidence', head: '', cell: () => null, csv: ({ confidence }) => confidence },
  { id: 'valueAtRisk', head: '', cell: () => null, csv: ({ valueAtRisk }) => valueAtRisk },
  { id: 'expectedShortfall', head: '', cell: () => null, csv: ({ expectedShortfall }) => expectedShortfall },
];
