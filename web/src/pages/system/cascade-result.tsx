import type { Stress } from '../../answers.ts';
import { moneyText, percentText, shortMoneyText, signedPercentText } from '../../format.ts';
import { Bar } from '../../parts/bar.tsx';
import { Facts } from '../../parts/card.tsx';
import { Scrolling } from '../../parts/scrolling.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { linkTo } from '../../route.ts';
import { shareOf } from './shares.ts';

type Round = Stress['rounds'][number] & { readonly round: number };
type Market = Stress['markets'][number];

/** What a shock sets off: in one line, by round, by market. */
export function CascadeResult({ stress }: { readonly stress: Stress }) {
  const rounds = stress.rounds.map((one, i) => ({ ...one, round: i + 1 }));
  const roundColumns = columnsOfRounds(rounds, stress.insuranceFund);
  return (
    <>
      <Headline stress={stress} />
      <Facts
        of={[
          ['Accounts that fall', `${count(stress.accountsFallen)} of ${count(stress.accounts)}`],
          ['by contagion', count(stress.accountsByContagion)],
          ['Sold by force', <Money key="sold" of={stress.soldNotional} />],
          ['Bought by force', <Money key="bought" of={stress.boughtNotional} />],
          ['Bad debt', <Money key="debt" of={stress.badDebt} isBad />],
          ['Fund used', percentText(shareOf(stress.fundPaid, stress.insuranceFund), 0)],
          ['Fund left', <Money key="left" of={stress.fundLeft} />],
          ['Auto-deleveraged', <Money key="adl" of={stress.deleveragedNotional} />],
          ['Uncovered', <Money key="uncovered" of={stress.uncovered} isBad />],
        ]}
      />
      {stress.rounds.length > 0 && (
        <>
          <div class="head-row">
            <h3>By round</h3>
            <DownloadButton name="cascade-rounds.csv" columns={roundColumns} rows={rounds} />
          </div>
          <Scrolling label="The cascade by round">
            <DataTable
              caption="The cascade by round"
              columns={roundColumns}
              rows={rounds}
              keyOf={({ round }) => String(round)}
            />
          </Scrolling>
          <div class="head-row">
            <h3>By market</h3>
            <DownloadButton name="cascade-markets.csv" columns={MARKETS} rows={stress.markets} />
          </div>
          <Scrolling label="The cascade by market">
            <DataTable
              caption="The cascade by market"
              columns={MARKETS}
              rows={stress.markets}
              keyOf={({ symbol }) => symbol}
              sortName="cascade"
            />
          </Scrolling>
        </>
      )}
      <p class="note">
        {count(stress.accountsDue)} accounts are due before any shock. The insurance fund is{' '}
        {moneyText(stress.insuranceFund, 0)}
        {stress.insuranceFundAssumed &&
          ', assumed: one percent of what is open, because the policy names none'}
        . Nobody adds margin in it, and whoever takes the forced sales is outside of the book.
        {stress.unknownAccounts > 0 &&
          ` ${count(stress.unknownAccounts)} accounts could not be valued and are left out.`}
      </p>
    </>
  );
}

function Headline({ stress }: { readonly stress: Stress }) {
  const { description, accountsFallen, badDebt, uncovered, deleveragedNotional, isSettled } = stress;
  const [tone, ending] =
    Number(uncovered) > 0
      ? ['bad', `${shortMoneyText(uncovered)} remains uncovered, beyond fund and auto-deleveraging.`]
      : Number(deleveragedNotional) > 0
        ? ['warn', `The fund is not enough: ${shortMoneyText(deleveragedNotional)} is auto-deleveraged.`]
        : Number(badDebt) > 0
          ? ['warn', 'The insurance fund covers all bad debt.']
          : ['good', accountsFallen === 0 ? 'Nobody falls.' : 'No bad debt is left.'];
  return (
    <p class={`notice ${tone}`} role="status">
      <strong>If {description}:</strong> {ending}
      {!isSettled && ' It had not come to rest after the last round that is counted.'}
    </p>
  );
}

function Money({ of, isBad = false }: { readonly of: string; readonly isBad?: boolean }) {
  return (
    <span title={moneyText(of)} class={isBad && Number(of) > 0 ? 'down' : ''}>
      {shortMoneyText(of)}
    </span>
  );
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function columnsOfRounds(rounds: readonly Round[], fund: string): readonly Column<Round>[] {
  const most = (of: (round: Round) => number): number => Math.max(...rounds.map(of), 0);
  const forced = most(({ soldNotional, boughtNotional }) => Number(soldNotional) + Number(boughtNotional));
  const fallen = most(({ accounts }) => accounts);
  const debt = most(({ badDebt }) => Number(badDebt));
  return [
    { id: 'round', head: 'Round', isNumber: true, csv: ({ round }) => round, cell: ({ round }) => round },
    {
      ...{ id: 'accounts', head: 'Accounts that fall', isNumber: true },
      csv: ({ accounts }) => accounts,
      cell: ({ accounts }) => (
        <Bar parts={[{ share: shareOf(accounts, fallen), tone: 'soft' }]}>{count(accounts)}</Bar>
      ),
    },
    {
      ...{ id: 'accountsByContagion', head: 'by contagion', isNumber: true, isMinor: true },
      csv: ({ accountsByContagion }) => accountsByContagion,
      cell: ({ accountsByContagion }) => count(accountsByContagion),
    },
    {
      ...{ id: 'soldNotional', head: 'Sold', isNumber: true },
      csv: ({ soldNotional }) => soldNotional,
      cell: ({ soldNotional }) => (
        <Bar parts={[{ share: shareOf(soldNotional, forced), tone: 'long' }]}>
          {shortMoneyText(soldNotional)}
        </Bar>
      ),
    },
    {
      ...{ id: 'boughtNotional', head: 'Bought', isNumber: true },
      csv: ({ boughtNotional }) => boughtNotional,
      cell: ({ boughtNotional }) => (
        <Bar parts={[{ share: shareOf(boughtNotional, forced), tone: 'short' }]}>
          {shortMoneyText(boughtNotional)}
        </Bar>
      ),
    },
    {
      ...{ id: 'badDebt', head: 'Bad debt', isNumber: true },
      csv: ({ badDebt }) => badDebt,
      cell: ({ badDebt }) => (
        <Bar parts={[{ share: shareOf(badDebt, debt), tone: 'bad' }]}>{shortMoneyText(badDebt)}</Bar>
      ),
    },
    {
      ...{ id: 'fundLeft', head: 'Fund left', isNumber: true },
      csv: ({ fundLeft }) => fundLeft,
      cell: ({ fundLeft }) => (
        <Bar parts={[{ share: shareOf(fundLeft, fund), tone: 'accent' }]}>{shortMoneyText(fundLeft)}</Bar>
      ),
    },
    {
      ...{ id: 'deleveragedNotional', head: 'Deleveraged', isNumber: true, isMinor: true },
      csv: ({ deleveragedNotional }) => deleveragedNotional,
      cell: ({ deleveragedNotional }) => shortMoneyText(deleveragedNotional),
    },
  ];
}

function money(id: 'soldNotional' | 'boughtNotional' | 'badDebt' | 'deleveragedNotional', head: string) {
  return {
    ...{ id, head, isNumber: true, isMinor: id === 'deleveragedNotional' },
    by: (market: Market) => Number(market[id]),
    csv: (market: Market) => market[id],
    cell: (market: Market) => <Money of={market[id]} />,
  };
}

const MARKETS: readonly Column<Market>[] = [
  {
    ...{ id: 'symbol', head: 'Market' },
    by: ({ symbol }) => symbol,
    cell: ({ symbol }) => <a href={linkTo(['markets', symbol])}>{symbol}</a>,
  },
  {
    ...{ id: 'shock', head: 'Shock', isNumber: true },
    by: ({ shock }) => shock,
    cell: ({ shock }) => signedPercentText(shock),
  },
  {
    ...{ id: 'move', head: 'At the end', isNumber: true },
    by: ({ move }) => move,
    cell: ({ move }) => signedPercentText(move),
  },
  money('soldNotional', 'Sold'),
  money('boughtNotional', 'Bought'),
  money('badDebt', 'Bad debt'),
  money('deleveragedNotional', 'Deleveraged'),
];
