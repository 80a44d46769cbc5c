import type { System } from '../../answers.ts';
import { leverageText, moneyText, percentText, shortMoneyText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Scrolling } from '../../parts/scrolling.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { linkTo } from '../../route.ts';

type Market = System['markets'][number];

/** How much is open in each market, against what it can take, and in how few hands. */
export function CrowdingCard({ system }: { readonly system: System }) {
  return (
    <Card
      title="Crowding and concentration"
      isFlush
      aside={
        <DownloadButton name="crowding.csv" columns={[...COLUMNS, ...FILE_COLUMNS]} rows={system.markets} />
      }
    >
      <Scrolling label="Crowding by market">
        <DataTable
          caption="Crowding and concentration by market"
          columns={COLUMNS}
          rows={system.markets}
          keyOf={({ symbol }) => symbol}
          sortName="crowding"
        />
      </Scrolling>
      <p class="note padded">
        Open interest is the larger side. Hours: of quiet trading that it would take. Depth and fund: how many
        times the order book and the insurance fund it is; – where they are not known. Herfindahl: sum of the
        squared shares of accounts, 1 where one holds all.
      </p>
    </Card>
  );
}

function money(id: string, head: string, of: (market: Market) => string, isMinor = false): Column<Market> {
  return {
    ...{ id, head, isNumber: true, isMinor },
    by: (market) => Number(of(market)),
    csv: of,
    cell: (market) => <span title={moneyText(of(market))}>{shortMoneyText(of(market))}</span>,
  };
}

function number(
  id: string,
  head: string,
  of: (market: Market) => number | null,
  text: (value: number) => string,
  isMinor = false,
): Column<Market> {
  return {
    ...{ id, head, isNumber: true, isMinor },
    by: of,
    cell: (market) => {
      const value = of(market);
      return value === null ? '–' : text(value);
    },
  };
}

const times = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)}×`;
const whole = (value: number): string => value.toLocaleString('en-US');
const share = (value: number): string => percentText(value, 1);

const COLUMNS: readonly Column<Market>[] = [
  {
    ...{ id: 'symbol', head: 'Market' },
    by: ({ symbol }) => symbol,
    cell: ({ symbol }) => <a href={linkTo(['markets', symbol])}>{symbol}</a>,
  },
  number('leverage', 'Leverage', ({ leverage }) => leverage, leverageText),
  money('openInterest', 'Open interest', ({ crowding }) => crowding.openInterest),
  money('longNotional', 'Long', ({ longNotional }) => longNotional, true),
  money('shortNotional', 'Short', ({ shortNotional }) => shortNotional, true),
  number('holders', 'Holders', ({ crowding }) => crowding.holders, whole, true),
  number(...(['volumeHours', 'Hours', ({ crowding }: Market) => crowding.volumeHours] as const), (value) =>
    value < 0.1 ? '< 0.1' : value.toFixed(1),
  ),
  number('depthRatio', 'Depth', ({ crowding }) => crowding.depthRatio, times, true),
  number('fundRatio', 'Fund', ({ crowding }) => crowding.fundRatio, times, true),
  number('largestShare', 'Largest', ({ crowding }) => crowding.largestShare, share),
  number('tenLargestShare', 'Ten largest', ({ crowding }) => crowding.tenLargestShare, share, true),
  number(
    'herfindahl',
    'Herfindahl',
    ({ crowding }) => crowding.herfindahl,
    (value) => value.toFixed(3),
    true,
  ),
];

/** What the page has no room for. */
const FILE_COLUMNS: readonly Column<Market>[] = [
  number('longs', 'Longs', ({ longs }) => longs, whole),
  number('shorts', 'Shorts', ({ shorts }) => shorts, whole),
  money('dueLong', 'Due, long', ({ due }) => due.long),
  money('dueShort', 'Due, short', ({ due }) => due.short),
];
