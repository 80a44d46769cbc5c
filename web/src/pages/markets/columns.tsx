import type { OverviewMarket } from '../../answers.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { leverageText, percentText, priceText, signedPercentText, timeText, wordsOf } from '../../format.ts';
import type { Column } from '../../parts/table.tsx';
import { linkTo } from '../../route.ts';
import { changeOf, priceChangeOf, worseShock } from './rows.ts';

export const MARKET_COLUMNS: readonly Column<OverviewMarket>[] = [
  {
    id: 'market',
    head: 'Market',
    by: ({ symbol }) => symbol,
    cell: ({ symbol }) => <a href={linkTo(['markets', symbol])}>{symbol}</a>,
  },
  {
    id: 'leverage',
    head: 'Leverage',
    isNumber: true,
    by: ({ maxLeverage }) => maxLeverage,
    cell: ({ maxLeverage }) => <strong>{leverageText(maxLeverage)}</strong>,
  },
  {
    id: 'change',
    head: 'Day',
    isNumber: true,
    by: changeOf,
    cell: (market) => <Change of={changeOf(market)} from={market.dayAgoMaxLeverage} />,
  },
  {
    id: 'week',
    head: 'Week',
    isMinor: true,
    cell: ({ symbol, leverage }) => (
      <Sparkline values={leverage} isStep label={`Leverage of ${symbol} over the last week`} />
    ),
  },
  {
    id: 'bound',
    head: 'Held by',
    by: ({ bindingBound }) => bindingBound,
    cell: (market) => (
      <>
        {wordsOf(market.bindingBound)} <Marks of={market} />
      </>
    ),
  },
  {
    id: 'shock',
    head: 'Shock',
    isNumber: true,
    by: worseShock,
    cell: (market) => percentText(worseShock(market), 1),
  },
  {
    id: 'price',
    head: 'Price',
    isNumber: true,
    isMinor: true,
    csv: ({ close }) => close,
    cell: ({ close }) => priceText(close),
  },
  {
    id: 'priceChange',
    head: 'Price, day',
    isNumber: true,
    isMinor: true,
    by: priceChangeOf,
    cell: (market) => signedPercentText(priceChangeOf(market)),
  },
  {
    id: 'priceWeek',
    head: 'Price, week',
    isMinor: true,
    cell: ({ symbol, closes }) => (
      <Sparkline values={closes} label={`Price of ${symbol} over the last week`} />
    ),
  },
  {
    id: 'data',
    head: 'Data until',
    isMinor: true,
    by: ({ asOf }) => asOf,
    cell: ({ asOf }) => <span class="soft">{timeText(asOf)}</span>,
  },
];

function Change({ of, from }: { readonly of: number; readonly from: number | null }) {
  if (from === null) return <span class="soft">–</span>;
  if (of === 0) return <span class="soft">0 %</span>;
  return (
    <span class={of < 0 ? 'down' : 'up'} title={`from ${leverageText(from)}`}>
      {signedPercentText(of, 0)}
    </span>
  );
}

/** What must be known before the number is believed. */
function Marks({ of: { frozen, overridden, quality } }: { readonly of: OverviewMarket }) {
  return (
    <>
      {frozen && <span class="badge accent">frozen</span>}{' '}
      {overridden && <span class="badge accent">override</span>}{' '}
      {quality === 'degrade' && <span class="badge warn">data degraded</span>}
      {quality === 'reject' && <span class="badge bad">data rejected</span>}
    </>
  );
}
