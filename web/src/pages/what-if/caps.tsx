import type { Cap, Caps } from '../../answers.ts';
import { leverageText, moneyText, ppmText, reasonText, timeText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Scrolling } from '../../parts/scrolling.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { CAP_NOTES, CAP_REASONS, REDUCE_ONLY_CAUSES } from '../../reasons.ts';
import { useResource } from '../../resource.ts';
import { refine } from '../../route.ts';

/** What the user may in every market, at what the account holds. */
export function CapsCard({ userId, accountId }: { readonly userId: string; readonly accountId: string }) {
  const account = accountId === '' ? '' : `?accountId=${encodeURIComponent(accountId)}`;
  const caps = useResource<Caps>(`/v1/users/${encodeURIComponent(userId)}/caps${account}`, {
    on: 'limits',
    everySeconds: 30,
  });
  const rows = caps.data?.caps ?? [];
  return (
    <Card
      title={`Caps of ${userId} in all markets`}
      isFlush
      aside={<DownloadButton name={`caps-${userId}.csv`} columns={FILE_COLUMNS} rows={rows} />}
    >
      <Loaded from={caps}>
        {(answer) => (
          <>
            <Scrolling label="Caps in all markets">
              <DataTable
                caption={`What ${userId} may in each market`}
                columns={COLUMNS}
                rows={answer.caps}
                keyOf={({ symbol }) => symbol}
                sortName="caps"
              />
            </Scrolling>
            <p class="note padded">
              {answer.accountId === null
                ? 'No account is known: caps are those of an empty one.'
                : `At what account ${answer.accountId} holds, at the newest marks.`}
              {answer.correlationsAsOf !== null &&
                ` Correlations of ${timeText(answer.correlationsAsOf)} UTC.`}
            </p>
            <Notes caps={answer.caps} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

const COLUMNS: readonly Column<Cap>[] = [
  {
    id: 'symbol',
    head: 'Market',
    by: ({ symbol }) => symbol,
    cell: ({ symbol }) => (
      <button type="button" class="link" onClick={() => refine({ symbol })} title="Put it into the order">
        {symbol}
      </button>
    ),
  },
  {
    id: 'maxLeverage',
    head: 'Max. leverage',
    isNumber: true,
    by: ({ maxLeverage }) => maxLeverage,
    cell: ({ maxLeverage }) => leverageText(maxLeverage),
  },
  {
    id: 'maxNotional',
    head: 'Max. notional',
    isNumber: true,
    by: ({ maxNotional }) => Number(maxNotional),
    csv: ({ maxNotional }) => maxNotional,
    cell: ({ maxNotional }) => moneyText(maxNotional),
  },
  {
    id: 'initialMarginRatePpm',
    head: 'Initial margin',
    isNumber: true,
    isMinor: true,
    by: ({ initialMarginRatePpm }) => initialMarginRatePpm,
    cell: ({ initialMarginRatePpm }) => ppmText(initialMarginRatePpm),
  },
  {
    id: 'bindingReason',
    head: 'Binds',
    by: ({ bindingReason }) => bindingReason,
    cell: ({ bindingReason }) => <span title={CAP_REASONS[bindingReason]}>{reasonText(bindingReason)}</span>,
  },
  {
    id: 'nextMaxLeverage',
    head: 'Without it',
    isNumber: true,
    isMinor: true,
    by: ({ nextMaxLeverage }) => nextMaxLeverage,
    cell: ({ nextMaxLeverage }) => leverageText(nextMaxLeverage),
  },
  {
    id: 'nextReason',
    isWrapped: true,
    head: 'Binds then',
    isMinor: true,
    by: ({ nextReason }) => nextReason,
    cell: ({ nextReason }) => (nextReason === null ? '–' : reasonText(nextReason)),
  },
  {
    id: 'notionalReason',
    isWrapped: true,
    head: 'Ends the notional',
    isMinor: true,
    by: ({ notionalReason }) => notionalReason,
    cell: ({ notionalReason }) => reasonText(notionalReason),
  },
  {
    id: 'reduceOnly',
    head: 'State',
    by: ({ reduceOnly }) => reduceOnly?.cause ?? null,
    cell: ({ reduceOnly }) =>
      reduceOnly === null ? (
        'open'
      ) : (
        <span class="badge bad" title={REDUCE_ONLY_CAUSES[reduceOnly.cause]}>
          only reduce
        </span>
      ),
  },
];
/** In the file each market has its own notes; on the page they stand once. */
const FILE_COLUMNS: readonly Column<Cap>[] = [
  ...COLUMNS,
  { id: 'notes', head: 'Not known', csv: ({ notes }) => notes.join(' '), cell: () => null },
];

function Notes({ caps }: { readonly caps: readonly Cap[] }) {
  const found = [...new Set(caps.flatMap(({ notes }) => notes))];
  return (
    <>
      {found.map((note) => {
        const count = caps.filter(({ notes }) => notes.includes(note)).length;
        return (
          <p key={note} class="note padded">
            {count === caps.length ? '' : `${count} of ${caps.length} markets: `}
            {CAP_NOTES[note]} <code>{note}</code>
          </p>
        );
      })}
    </>
  );
}
