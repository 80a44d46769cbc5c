import { useMemo } from 'preact/hooks';
import type { System } from '../../answers.ts';
import { moneyText, shortMoneyText, signedPercentText } from '../../format.ts';
import { Bar } from '../../parts/bar.tsx';
import { Card } from '../../parts/card.tsx';
import { Field } from '../../parts/fields.tsx';
import { Scrolling } from '../../parts/scrolling.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { ladderOf, type Rung } from './ladder.ts';

/** What is closed out where the mark of one market goes, as a ladder with the mark in the middle. */
export function LiquidationsCard({ system }: { readonly system: System }) {
  const { query } = useCell(placeCell);
  const byOpen = system.markets.toSorted(
    (a, b) => Number(b.crowding.openInterest) - Number(a.crowding.openInterest),
  );
  const market = byOpen.find(({ symbol }) => symbol === query.get('market')) ?? byOpen[0];
  const rungs = useMemo(() => ladderOf(market), [market]);
  const columns = useMemo(() => columnsOf(rungs), [rungs]);
  return (
    <Card
      title={`Liquidation map of ${market.symbol}`}
      isFlush
      aside={
        <>
          <Field label="Market">
            <select value={market.symbol} onChange={(event) => refine({ market: event.currentTarget.value })}>
              {system.markets.map(({ symbol }) => (
                <option key={symbol}>{symbol}</option>
              ))}
            </select>
          </Field>
          <DownloadButton name={`liquidations-${market.symbol}.csv`} columns={columns} rows={rungs} />
        </>
      }
    >
      <Scrolling label="Liquidation map">
        <DataTable
          caption={`Notional that is liquidated where the mark of ${market.symbol} goes, all other marks as they are`}
          columns={columns}
          rows={rungs}
          keyOf={({ move }) => String(move)}
          classOf={({ move }) => (move === 0 ? 'changed' : undefined)}
        />
      </Scrolling>
      <p class="legend padded">
        <span>
          <i class="long" />
          long
        </span>
        <span>
          <i class="short" />
          short
        </span>
        <span>
          All that is closed out by a move as far as this, and not only between two lines. Elsewhere: what the
          same accounts hold in other markets.
        </span>
      </p>
    </Card>
  );
}

function columnsOf(rungs: readonly Rung[]): readonly Column<Rung>[] {
  const most = Math.max(...rungs.map(({ long, short }) => Number(long) + Number(short)), 0);
  const share = (value: string): number => (most === 0 ? 0 : Number(value) / most);
  return [
    {
      ...{ id: 'move', head: 'Mark moves', isNumber: true },
      csv: ({ move }) => move,
      cell: ({ move }) => (move === 0 ? 'due at the mark' : signedPercentText(move, 1)),
    },
    {
      ...{ id: 'notional', head: 'Liquidated notional', isNumber: true },
      cell: ({ long, short }) => (
        <Bar
          isWide
          parts={[
            { share: share(long), tone: 'long' },
            { share: share(short), tone: 'short' },
          ]}
        >
          {shortMoneyText(Number(long) + Number(short))}
        </Bar>
      ),
    },
    {
      ...{ id: 'long', head: 'Long', isNumber: true, isMinor: true },
      csv: ({ long }) => long,
      cell: ({ long }) => moneyText(long, 0),
    },
    {
      ...{ id: 'short', head: 'Short', isNumber: true, isMinor: true },
      csv: ({ short }) => short,
      cell: ({ short }) => moneyText(short, 0),
    },
    {
      ...{ id: 'elsewhere', head: 'Elsewhere', isNumber: true, isMinor: true },
      csv: ({ elsewhere }) => elsewhere,
      cell: ({ elsewhere }) => moneyText(elsewhere, 0),
    },
    {
      ...{ id: 'groups', head: 'Margin groups', isNumber: true },
      csv: ({ groups }) => groups,
      cell: ({ groups }) => groups?.toLocaleString('en-US') ?? '–',
    },
  ];
}
