import { useMemo } from 'preact/hooks';
import type { Intervention, Interventions } from '../../answers.ts';
import { marginRatioText, moneyText, timeText, wordsOf } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Field } from '../../parts/fields.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { toneOfStatus } from '../../reasons.ts';
import { useResource } from '../../resource.ts';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';

const MOST_SHOWN = 100;
const BEYOND_ALL = Number.MAX_SAFE_INTEGER;
const KINDS: readonly Intervention['kind'][] = [
  ...(['warning', 'marginCall', 'reduceOnly', 'reduction', 'liquidation', 'backstop', 'relief'] as const),
];

/** What was told about accounts, the newest first, as it comes. */
export function InterventionsCard() {
  const kind = useCell(placeCell).query.get('kind');
  // The route counts from the oldest, so the newest number comes first.
  const end = useResource<Interventions>(`/v1/interventions?after=${BEYOND_ALL}&limit=1`, { on: 'accounts' });
  const last = end.data?.lastSequence ?? null;
  const newest = useResource<Interventions>(
    last === null ? null : `/v1/interventions?after=${Math.max(0, last - MOST_SHOWN)}&limit=${MOST_SHOWN}`,
  );
  const all = useMemo(() => newest.data?.interventions.toReversed() ?? [], [newest.data]);
  const rows = kind === null ? all : all.filter((one) => one.kind === kind);
  return (
    <Card
      title="Interventions"
      isFlush
      isShort
      aside={
        <>
          <Field label="Kind">
            <select value={kind ?? ''} onChange={(event) => refine({ kind: event.currentTarget.value })}>
              <option value="">all</option>
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {wordsOf(one)}
                </option>
              ))}
            </select>
          </Field>
          <DownloadButton name="interventions.csv" columns={COLUMNS} rows={rows} />
        </>
      }
    >
      <Loaded from={last === null ? end : newest}>
        {() =>
          rows.length === 0 ? (
            <Empty>
              {all.length === 0
                ? 'None yet. Each time an account crosses a threshold of the policy, it is told here.'
                : `None of this kind among the newest ${all.length}.`}
            </Empty>
          ) : (
            <DataTable
              caption="Interventions, the newest first"
              columns={COLUMNS}
              rows={rows}
              keyOf={({ sequence }) => String(sequence)}
              sortName="interventions"
            />
          )
        }
      </Loaded>
      {last !== null && last > all.length && all.length > 0 && (
        <p class="note padded">
          The newest {all.length} of {last.toLocaleString('en-US')}. All of them:{' '}
          <code>GET /v1/interventions</code>.
        </p>
      )}
    </Card>
  );
}

const CAUSES: Readonly<Record<Intervention['cause'], string>> = {
  price: 'a price',
  account: 'the account',
  limits: 'new limits',
  policy: 'a new policy',
  coolDown: 'a cool-down that is over',
};

const COLUMNS: readonly Column<Intervention>[] = [
  {
    ...{ id: 'sequence', head: 'No.', isNumber: true },
    by: ({ sequence }) => sequence,
    cell: ({ sequence }) => sequence,
  },
  {
    ...{ id: 'at', head: 'Time, UTC', isMinor: true },
    by: ({ at }) => at,
    cell: ({ at }) => timeText(at, true),
  },
  {
    ...{ id: 'kind', head: 'Kind' },
    by: ({ kind }) => kind,
    cell: ({ kind, mode }) => (
      <>
        <span class={`badge ${toneOfStatus(kind)}`}>{wordsOf(kind)}</span>
        {mode === 'command' && <span class="soft"> commanded</span>}
      </>
    ),
  },
  {
    ...{ id: 'accountId', head: 'Account' },
    by: ({ accountId }) => accountId,
    cell: ({ accountId }) => accountId,
  },
  { id: 'userId', head: 'User', isMinor: true, by: ({ userId }) => userId, cell: ({ userId }) => userId },
  {
    ...{ id: 'symbol', head: 'Margin', isMinor: true },
    by: ({ symbol }) => symbol,
    cell: ({ symbol, side }) => (symbol === null ? 'cross' : `${symbol} ${side ?? ''}`),
  },
  {
    ...{ id: 'marginRatio', head: 'Ratio', isNumber: true },
    by: ({ marginRatio }) => marginRatio,
    cell: ({ marginRatio }) => marginRatioText(marginRatio),
  },
  {
    ...{ id: 'shortfall', head: 'Missing', isNumber: true },
    by: ({ shortfall }) => Number(shortfall),
    csv: ({ shortfall }) => shortfall,
    cell: ({ shortfall }) => moneyText(shortfall),
  },
  {
    ...{ id: 'cause', head: 'Because of', isMinor: true, isWrapped: true },
    by: ({ cause }) => cause,
    cell: ({ cause, movedMarkets }) =>
      movedMarkets.length === 0 ? CAUSES[cause] : `${CAUSES[cause]}: ${movedText(movedMarkets)}`,
  },
  {
    ...{ id: 'plan', head: 'To reduce', isMinor: true, isWrapped: true },
    csv: ({ plan }) => plan.map((one) => `${one.symbol} ${one.side} ${one.reduceNotional}`).join('; '),
    cell: ({ plan }) =>
      plan.length === 0
        ? '–'
        : `${plan[0].symbol} ${plan[0].side} ${moneyText(plan[0].reduceNotional, 0)}${plan.length > 1 ? ` and ${plan.length - 1} more` : ''}`,
  },
];

function movedText(markets: readonly string[]): string {
  return markets.length <= 2 ? markets.join(', ') : `${markets.length} markets`;
}
