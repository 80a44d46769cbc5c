import { useMemo } from 'preact/hooks';
import { MoveChart } from '../../charts/move-chart.tsx';
import { leverageText, marginRatioText, moneyText, signedPercentText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Scrolling } from '../../parts/scrolling.tsx';
import { Empty, ProblemNotice } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import type { SimulateQuestion } from './account-draft.ts';
import { Status } from './margin-result.tsx';
import { useMovedMargins } from './moved-margins.ts';
import { closedWhere, MOVES, type MovedMargin } from './moves.ts';

/** What becomes of the account when all its marks move by the same share. */
export function MovesCard({
  question,
  marks,
}: {
  readonly question: SimulateQuestion | null;
  readonly marks: Readonly<Record<string, string>>;
}) {
  const { rows, problem } = useMovedMargins(question, marks);
  const series = useMemo(
    () => [
      {
        ...{ label: 'Equity', colour: 'accent' },
        values: rows.map(({ margin }) => (margin.equity === null ? null : Number(margin.equity))),
      },
      {
        ...{ label: 'Maintenance margin', colour: 'bad', isDashed: true },
        values: rows.map(({ margin }) =>
          margin.maintenanceMargin === null ? null : Number(margin.maintenanceMargin),
        ),
      },
    ],
    [rows],
  );
  return (
    <Card
      title="If all marks move alike"
      aside={<DownloadButton name="margin-moves.csv" columns={COLUMNS} rows={rows} />}
    >
      {problem !== null && <ProblemNotice problem={problem} />}
      {rows.length === 0 ? (
        problem === null && <Empty>Simulating {MOVES.length} moves …</Empty>
      ) : (
        <>
          <p>{closedWhere(rows)}</p>
          <MoveChart
            label="Equity and maintenance margin over a common move of all marks; the table below has the numbers"
            moves={MOVES}
            series={series}
          />
          <p class="note">
            Each of the {MOVES.length} moves was simulated by the service; in between lines are drawn. The
            account stands still meanwhile: nothing is added, reduced or liquidated.
          </p>
          <details>
            <summary>As a table</summary>
            <Scrolling label="The account by common move of all marks">
              <DataTable
                caption="The account by common move of all marks"
                columns={COLUMNS}
                rows={rows}
                keyOf={({ move }) => String(move)}
              />
            </Scrolling>
          </details>
        </>
      )}
    </Card>
  );
}

const COLUMNS: readonly Column<MovedMargin>[] = [
  {
    ...{ id: 'move', head: 'Move', isNumber: true },
    csv: ({ move }) => move,
    cell: ({ move }) => signedPercentText(move, 0),
  },
  {
    ...{ id: 'status', head: 'Status' },
    csv: ({ margin }) => margin.status,
    cell: ({ margin }) => <Status status={margin.status} />,
  },
  {
    ...{ id: 'equity', head: 'Equity', isNumber: true },
    csv: ({ margin }) => margin.equity,
    cell: ({ margin }) => moneyText(margin.equity),
  },
  {
    ...{ id: 'maintenanceMargin', head: 'Maintenance', isNumber: true },
    csv: ({ margin }) => margin.maintenanceMargin,
    cell: ({ margin }) => moneyText(margin.maintenanceMargin),
  },
  {
    ...{ id: 'marginRatio', head: 'Ratio', isNumber: true },
    csv: ({ margin }) => margin.marginRatio,
    cell: ({ margin }) => marginRatioText(margin.marginRatio),
  },
  {
    ...{ id: 'grossLeverage', head: 'Leverage', isNumber: true },
    csv: ({ margin }) => margin.effectiveLeverage.gross,
    cell: ({ margin }) => leverageText(margin.effectiveLeverage.gross),
  },
];
