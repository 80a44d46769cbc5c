import type { ComponentChildren } from 'preact';
import type { Impact } from '../../answers.ts';
import { leverageText, moneyText, percentText } from '../../format.ts';
import { Facts } from '../../parts/card.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { changedRanges } from './words.ts';

type Known<T> = Extract<T, { available: true }>;
type MarketImpact = Known<Impact['market']>;
type Range = MarketImpact['ranges'][number];
type AccountsImpact = Known<Impact['accounts']>;
type Hit = AccountsImpact['hit'][number];

/** What a change does to its market and to the accounts in it. */
export function ImpactView({
  of: { market, accounts },
  name,
}: {
  readonly of: Impact;
  readonly name: string;
}) {
  const why = market.available || accounts.available ? null : market.why;
  if (why !== null && !accounts.available && accounts.why === why)
    return <p class="notice plain">What it does cannot be told: {why}.</p>;
  return (
    <div class="impact">
      <div>
        <h3>Market</h3>
        {market.available ? (
          <MarketView of={market} name={name} />
        ) : (
          <p class="note">Not known: {market.why}.</p>
        )}
      </div>
      <div>
        <h3>Accounts</h3>
        {accounts.available ? (
          <AccountsView of={accounts} name={name} />
        ) : (
          <p class="note">Not known: {accounts.why}.</p>
        )}
      </div>
    </div>
  );
}

const rateText = (ppm: number | null): string => percentText(ppm === null ? null : ppm / 1e6);
const grantedText = (leverage: number): string => (leverage === 0 ? 'refused' : leverageText(leverage));

const RANGES: readonly Column<Range>[] = [
  {
    id: 'notional',
    head: 'Notional',
    cell: ({ notionalFloor, notionalCap }) => `${moneyText(notionalFloor)} – ${moneyText(notionalCap)}`,
    isNumber: true,
  },
  {
    id: 'leverage',
    head: 'Leverage',
    cell: ({ leverageBefore, leverageAfter }) =>
      leverageBefore === leverageAfter ? (
        grantedText(leverageAfter)
      ) : (
        <>
          {grantedText(leverageBefore)} →{' '}
          <strong class={leverageAfter < leverageBefore ? 'down' : 'up'}>{grantedText(leverageAfter)}</strong>
        </>
      ),
    isNumber: true,
  },
  {
    id: 'maintenance',
    head: 'Maintenance rate',
    cell: ({ maintenanceRatePpmBefore: from, maintenanceRatePpmAfter: to }) =>
      from === to ? (
        rateText(to)
      ) : (
        <>
          {rateText(from)} → <strong>{rateText(to)}</strong>
        </>
      ),
    isNumber: true,
  },
];

function MarketView({ of, name }: { readonly of: MarketImpact; readonly name: string }) {
  const ranges = changedRanges(of);
  if (ranges.length === 0)
    return <p>No bracket changes: leverage stays {leverageText(of.maxLeverageAfter)} at most.</p>;
  const isLeverageChanged = ranges.some(
    ({ leverageBefore, leverageAfter }) => leverageBefore !== leverageAfter,
  );
  const isRateChanged = ranges.some(
    ({ maintenanceRatePpmBefore: from, maintenanceRatePpmAfter: to }) => from !== to,
  );
  const { maxLeverageBefore: before, maxLeverageAfter: after } = of;
  return (
    <>
      <p>
        {before === after
          ? `Leverage stays ${leverageText(after)} at most`
          : `Leverage at most ${leverageText(before)} → ${leverageText(after)}`}
        ; {ranges.length} of {of.ranges.length} ranges of notional change.
      </p>
      <Scroll label={`Ranges of notional that ${name} changes`}>
        <DataTable
          caption={`Ranges of notional that ${name} changes`}
          columns={RANGES.filter(
            ({ id }) => (id !== 'leverage' || isLeverageChanged) && (id !== 'maintenance' || isRateChanged),
          )}
          rows={ranges}
          keyOf={({ notionalFloor }) => notionalFloor}
        />
      </Scroll>
    </>
  );
}

const HITS: readonly Column<Hit>[] = [
  { id: 'accountId', head: 'Account', cell: ({ accountId }) => accountId, csv: ({ accountId }) => accountId },
  { id: 'symbol', head: 'Market', cell: ({ symbol }) => symbol, csv: ({ symbol }) => symbol },
  {
    id: 'notionalToReduce',
    head: 'To reduce',
    cell: ({ notionalToReduce }) => moneyText(notionalToReduce),
    csv: ({ notionalToReduce }) => notionalToReduce,
    isNumber: true,
  },
  {
    id: 'isLiquidated',
    head: 'What happens',
    cell: ({ isLiquidated }) =>
      isLiquidated ? <span class="badge bad">liquidated at once</span> : 'in breach',
    csv: ({ isLiquidated }) => isLiquidated,
  },
];
const MOST_SHOWN = 10;

function AccountsView({ of, name }: { readonly of: AccountsImpact; readonly name: string }) {
  const { accounts, breaching, notionalToReduce, liquidations, liquidatedNotional, unusable, hit } = of;
  return (
    <>
      <Facts
        of={[
          ['judged', accounts],
          ['in breach', <Grave key="breach" count={breaching} />],
          ['to reduce', moneyText(notionalToReduce)],
          ['liquidations', <Grave key="liquidations" count={liquidations} />],
          liquidations > 0 ? ['liquidated notional', moneyText(liquidatedNotional)] : null,
          unusable > 0 ? ['positions not judged', unusable] : null,
        ]}
      />
      {hit.length > 0 && (
        <>
          <Scroll label={`Accounts that ${name} hits`}>
            <DataTable
              caption={`Accounts that ${name} hits`}
              columns={HITS}
              rows={hit.slice(0, MOST_SHOWN)}
              keyOf={({ accountId, symbol }) => `${accountId} ${symbol}`}
            />
          </Scroll>
          <p class="more">
            {hit.length > MOST_SHOWN && (
              <span class="note">{hit.length - MOST_SHOWN} more are in the file. </span>
            )}
            <DownloadButton name={`${name}-accounts.csv`} columns={HITS} rows={hit} />
          </p>
        </>
      )}
    </>
  );
}

function Grave({ count }: { readonly count: number }) {
  return <span class={count > 0 ? 'down' : ''}>{count}</span>;
}

/** A table that is wider than where it stands. */
export function Scroll({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
