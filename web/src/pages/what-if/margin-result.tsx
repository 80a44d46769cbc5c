import type { Margin } from '../../answers.ts';
import {
  decimalPriceText,
  leverageText,
  marginRatioText,
  moneyText,
  percentText,
  reasonText,
  wordsOf,
} from '../../format.ts';
import { Facts } from '../../parts/card.tsx';
import { Scrolling } from '../../parts/scrolling.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { toneOfStatus } from '../../reasons.ts';

type Position = Margin['positions'][number];
type Reduction = Margin['plan'][number];

export function MarginResult({ margin }: { readonly margin: Margin }) {
  const { effectiveLeverage: leverage, unpriced } = margin;
  return (
    <>
      {unpriced.length > 0 && (
        <p class="notice warn" role="status">
          No mark is known of {unpriced.join(', ')}: give one above.
        </p>
      )}
      <Facts
        of={[
          ['Status', <Status key="status" status={margin.status} />],
          ['Margin ratio', marginRatioText(margin.marginRatio)],
          ['Equity', moneyText(margin.equity)],
          ['Maintenance margin', moneyText(margin.maintenanceMargin)],
          ['Initial margin', moneyText(margin.initialMargin)],
          ['Available balance', moneyText(margin.availableBalance)],
          ['Leverage, gross', leverageText(margin.effectiveLeverage.gross)],
          ['net', leverageText(leverage.net)],
          ['weighted by beta', leverageText(leverage.betaWeighted)],
        ]}
      />
      <div class="head-row">
        <h3>Positions</h3>
        <DownloadButton
          name="margin-positions.csv"
          columns={[...POSITIONS, ...FILE_POSITIONS]}
          rows={margin.positions}
        />
      </div>
      <Scrolling label="Positions, with the prices at which they end">
        <DataTable
          caption="Positions, with the prices at which they end"
          columns={POSITIONS}
          rows={margin.positions}
          keyOf={keyOfPosition}
          sortName="positions"
        />
      </Scrolling>
      <p class="note">
        Probability: that the mark reaches the liquidation price within {margin.liquidationHorizonHours}{' '}
        hours, other marks as they are. Money in{' '}
        {margin.settlementAsset === 'quote' ? 'the quote asset' : margin.settlementAsset}
        {margin.version !== null && `, by limits version ${margin.version}`}
        {margin.degraded && ' (degraded)'}.
      </p>
      <Plan margin={margin} />
    </>
  );
}

function Plan({ margin: { plan, planIsEnough } }: { readonly margin: Margin }) {
  if (plan.length === 0) return <p class="note">Nothing would have to be reduced.</p>;
  return (
    <>
      <div class="head-row">
        <h3>What would have to go</h3>
        <DownloadButton name="margin-plan.csv" columns={PLAN} rows={plan} />
      </div>
      {!planIsEnough && (
        <p class="notice bad" role="status">
          Even closing everything does not reach the target.
        </p>
      )}
      <Scrolling label="Least reduction that reaches the target ratio">
        <DataTable
          caption="Least reduction that reaches the target ratio"
          columns={PLAN}
          rows={plan}
          keyOf={({ symbol, side, marginUnit }) => `${symbol} ${side} ${marginUnit}`}
        />
      </Scrolling>
    </>
  );
}

export function Status({ status }: { readonly status: string }) {
  return <span class={`badge ${toneOfStatus(status)}`}>{wordsOf(status)}</span>;
}

function keyOfPosition({ symbol, side, marginUnit, quantity, entryPrice }: Position): string {
  return [symbol, side, marginUnit, quantity, entryPrice].join(' ');
}

function money(
  id: 'notional' | 'unrealisedProfit' | 'maintenanceMargin' | 'initialMargin' | 'isolatedMargin',
  head: string,
): Column<Position> {
  return {
    ...{ id, head, isNumber: true, isMinor: id !== 'notional' },
    by: (row) => (row[id] === null ? null : Number(row[id])),
    csv: (row) => row[id],
    cell: (row) => moneyText(row[id]),
  };
}

function price(
  id: 'entryPrice' | 'mark' | 'liquidationPrice' | 'bankruptcyPrice',
  head: string,
): Column<Position> {
  return {
    ...{ id, head, isNumber: true, isMinor: id === 'entryPrice' || id === 'bankruptcyPrice' },
    by: (row) => (row[id] === null ? null : Number(row[id])),
    csv: (row) => row[id],
    cell: (row) => decimalPriceText(row[id]),
  };
}

const POSITIONS: readonly Column<Position>[] = [
  { id: 'symbol', head: 'Market', by: ({ symbol }) => symbol, cell: ({ symbol }) => symbol },
  {
    ...{ id: 'side', head: 'Side' },
    by: ({ side }) => side,
    cell: ({ side, marginUnit }) => (marginUnit === 'isolated' ? `${side}, isolated` : side),
  },
  {
    ...{ id: 'quantity', head: 'Quantity', isNumber: true },
    by: ({ quantity }) => Number(quantity),
    csv: ({ quantity }) => quantity,
    cell: ({ quantity }) => moneyText(quantity, 6),
  },
  price('mark', 'Mark'),
  money('notional', 'Notional'),
  money('unrealisedProfit', 'Open profit'),
  money('maintenanceMargin', 'Maintenance'),
  {
    ...{ id: 'marginRatio', head: 'Ratio', isNumber: true },
    by: ({ marginRatio }) => marginRatio,
    cell: ({ marginRatio, status }) => (
      <>
        {marginRatioText(marginRatio)} <Status status={status} />
      </>
    ),
  },
  price('liquidationPrice', 'Liquidation'),
  price('bankruptcyPrice', 'Bankruptcy'),
  {
    ...{ id: 'liquidationProbability', head: 'Probability', isNumber: true },
    by: ({ liquidationProbability }) => liquidationProbability,
    cell: ({ liquidationProbability }) => percentText(liquidationProbability),
  },
];

/** What the page has no room for, and the form above shows. */
const FILE_POSITIONS: readonly Column<Position>[] = [
  price('entryPrice', 'Entry'),
  money('initialMargin', 'Initial margin'),
  money('isolatedMargin', 'Isolated margin'),
  { id: 'status', head: 'Status', csv: ({ status }) => status, cell: ({ status }) => status },
];

const PLAN: readonly Column<Reduction>[] = [
  { id: 'symbol', head: 'Market', by: ({ symbol }) => symbol, cell: ({ symbol }) => symbol },
  {
    ...{ id: 'side', head: 'Side' },
    by: ({ side }) => side,
    cell: ({ side, marginUnit }) => (marginUnit === 'isolated' ? `${side}, isolated` : side),
  },
  {
    ...{ id: 'reduceQuantity', head: 'Quantity', isNumber: true },
    csv: ({ reduceQuantity }) => reduceQuantity,
    cell: ({ reduceQuantity }) => moneyText(reduceQuantity, 6),
  },
  {
    ...{ id: 'reduceNotional', head: 'Notional', isNumber: true },
    csv: ({ reduceNotional }) => reduceNotional,
    cell: ({ reduceNotional }) => moneyText(reduceNotional),
  },
  {
    ...{ id: 'slices', head: 'Slices' },
    csv: ({ slices }) => slices.map(({ notional, afterSeconds }) => `${notional}@${afterSeconds}s`).join(' '),
    cell: ({ slices }) =>
      slices.length === 1
        ? 'at once'
        : `${slices.length}, the last after ${slices[slices.length - 1].afterSeconds} s`,
  },
  { id: 'reason', head: 'Because', csv: ({ reason }) => reason, cell: ({ reason }) => reasonText(reason) },
];
