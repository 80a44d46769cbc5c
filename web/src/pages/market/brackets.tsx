import type { Bracket, Brackets, History } from '../../answers.ts';
import { leverageText, moneyText, ppmText, timeText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { type ComparedBracket, compared } from './compared.ts';

/** The table in force beside an earlier one, what differs marked. */
export function BracketTable({ symbol }: { readonly symbol: string }) {
  const base = `/v1/markets/${encodeURIComponent(symbol)}`;
  const { query } = useCell(placeCell);
  const now = useResource<Brackets>(`${base}/brackets`, { on: 'limits' });
  const history = useResource<History>(`${base}/history?limit=50`, { on: 'limits' });
  const earlier = history.data?.changes.slice(1) ?? [];
  const chosen = earlier.find(({ version }) => String(version) === query.get('against')) ?? earlier[0];
  const before = useResource<Brackets>(
    chosen === undefined ? null : `${base}/brackets?asOf=${encodeURIComponent(chosen.effectiveAt)}`,
  );
  return (
    <Card
      title="Brackets"
      isFlush
      aside={
        <>
          {earlier.length > 0 && (
            <label>
              <span class="note">against </span>
              <select
                value={String(chosen?.version)}
                onChange={(event) => refine({ against: event.currentTarget.value })}
              >
                {earlier.map(({ version, effectiveAt }) => (
                  <option key={version} value={String(version)}>
                    version {version}, {timeText(effectiveAt)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <DownloadButton
            name={`${symbol}-brackets.csv`}
            columns={COLUMNS}
            rows={rowsOf(now.data, before.data)}
          />
        </>
      }
    >
      <Loaded from={now}>
        {(data) => (
          <>
            <DataTable<ComparedBracket>
              caption={`Brackets of ${symbol}, version ${data.version}`}
              columns={COLUMNS}
              rows={rowsOf(data, before.data)}
              keyOf={({ now: { bracket } }) => String(bracket)}
            />
            <Announced of={data} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function rowsOf(now: Brackets | null, before: Brackets | null): readonly ComparedBracket[] {
  return now === null ? [] : compared(now.brackets, before?.brackets ?? null);
}

/** What open positions will be held to, before it bites. */
function Announced({ of: { announced } }: { readonly of: Brackets }) {
  return (
    <>
      {announced.map(({ effectiveAt, brackets }) => (
        <p class="notice warn" style={{ margin: '.8rem' }} key={effectiveAt}>
          Open positions are held to higher maintenance margins from{' '}
          <strong>{timeText(effectiveAt)} UTC</strong>: {brackets.length} brackets, the first at{' '}
          {ppmText(brackets[0].maintenanceMarginRatePpm)}.
        </p>
      ))}
    </>
  );
}

const COLUMNS: readonly Column<ComparedBracket>[] = [
  { id: 'bracket', head: '#', csv: ({ now }) => now.bracket, cell: ({ now }) => now.bracket },
  {
    id: 'notionalCap',
    head: 'Up to',
    isNumber: true,
    csv: ({ now }) => now.notionalCap,
    cell: (row) => <Now of={row} field="notionalCap" text={(value) => moneyText(String(value), 0)} />,
  },
  {
    id: 'maxLeverage',
    head: 'Leverage',
    isNumber: true,
    csv: ({ now }) => now.maxLeverage,
    cell: (row) => <Now of={row} field="maxLeverage" text={(value) => leverageText(Number(value))} />,
  },
  {
    id: 'initialMarginRatePpm',
    head: 'Initial',
    isNumber: true,
    csv: ({ now }) => now.initialMarginRatePpm,
    cell: (row) => <Now of={row} field="initialMarginRatePpm" text={(value) => ppmText(Number(value))} />,
  },
  {
    id: 'maintenanceMarginRatePpm',
    head: 'Maintenance',
    isNumber: true,
    csv: ({ now }) => now.maintenanceMarginRatePpm,
    cell: (row) => <Now of={row} field="maintenanceMarginRatePpm" text={(value) => ppmText(Number(value))} />,
  },
  {
    id: 'maintenanceAmount',
    head: 'Less',
    isNumber: true,
    isMinor: true,
    csv: ({ now }) => now.maintenanceAmount,
    cell: ({ now }) => moneyText(now.maintenanceAmount),
  },
];

/** A value, and the one before it where that was another. */
function Now({
  of: { now, before },
  field,
  text,
}: {
  readonly of: ComparedBracket;
  readonly field: keyof Bracket;
  readonly text: (value: Bracket[keyof Bracket]) => string;
}) {
  if (before === undefined || before?.[field] === now[field]) return text(now[field]);
  return (
    <span class="changed">
      {before === null ? <s class="soft">none</s> : <s class="soft">{text(before[field])}</s>}{' '}
      {text(now[field])}
    </span>
  );
}
