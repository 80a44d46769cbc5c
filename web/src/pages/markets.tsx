import { useMemo } from 'preact/hooks';
import type { Overview, OverviewMarket } from '../answers.ts';
import { spanText, timeText, wordsOf } from '../format.ts';
import { Facts } from '../parts/card.tsx';
import { Loaded } from '../parts/states.tsx';
import { DataTable, DownloadButton } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { placeCell, refine } from '../route.ts';
import { useCell } from '../signal.ts';
import { MARKET_COLUMNS } from './markets/columns.tsx';
import { changeOf, countBy, matches } from './markets/rows.ts';

/** Every market at one glance: what it may carry, what has changed, and what holds it there. */
export function MarketsPage() {
  const overview = useResource<Overview>('/v1/overview', { on: 'limits', everySeconds: 60 });
  return (
    <>
      <div class="head">
        <h1>Markets</h1>
        {overview.data?.simulated && <span class="badge warn">simulated markets</span>}
        {overview.data?.degraded && <span class="badge bad">degraded</span>}
      </div>
      <Loaded from={overview}>{(data) => <Markets of={data} />}</Loaded>
    </>
  );
}

function Markets({ of }: { readonly of: Overview }) {
  const { query } = useCell(placeCell);
  const wanted = query.get('find') ?? '';
  const bound = query.get('bound') ?? '';
  const isMovedOnly = query.get('only') === 'moved';
  const rows = useMemo(
    () =>
      of.markets.filter(
        (market) =>
          matches(market.symbol, wanted) &&
          (bound === '' || market.bindingBound === bound) &&
          (!isMovedOnly || changeOf(market) !== 0),
      ),
    [of, wanted, bound, isMovedOnly],
  );
  const bounds = useMemo(() => countBy(of.markets, ({ bindingBound }) => bindingBound), [of]);
  return (
    <>
      <Summary of={of} />
      <div class="card">
        <header class="form">
          <label class="field">
            <span>
              Find <kbd>/</kbd>
            </span>
            <input
              type="search"
              value={wanted}
              placeholder="BTC"
              onInput={(event) => refine({ find: event.currentTarget.value })}
            />
          </label>
          <label class="field">
            <span>Bound that binds</span>
            <select value={bound} onChange={(event) => refine({ bound: event.currentTarget.value })}>
              <option value="">any</option>
              {bounds.map(([name, count]) => (
                <option key={name} value={name}>
                  {wordsOf(name)} ({count})
                </option>
              ))}
            </select>
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={isMovedOnly}
              onChange={(event) => refine({ only: event.currentTarget.checked ? 'moved' : null })}
            />
            changed since a day ago
          </label>
          <span class="spring" />
          <span class="note" role="status">
            {rows.length} of {of.total}
          </span>
          <DownloadButton name={`limits-v${of.version}.csv`} columns={MARKET_COLUMNS} rows={rows} />
        </header>
        <div class="body flush">
          {rows.length === 0 ? (
            <p class="empty">No market is like that.</p>
          ) : (
            <DataTable<OverviewMarket>
              caption="Markets with their leverage"
              columns={MARKET_COLUMNS}
              rows={rows}
              keyOf={({ symbol }) => symbol}
              sortName="sort"
            />
          )}
        </div>
      </div>
    </>
  );
}

function Summary({ of }: { readonly of: Overview }) {
  const changes = of.markets.map(changeOf);
  const lower = changes.filter((change) => change < 0).length;
  const higher = changes.filter((change) => change > 0).length;
  const held = of.markets.filter(({ frozen, overridden }) => frozen || overridden).length;
  const left = Date.parse(of.validUntil) - Date.now();
  return (
    <Facts
      of={[
        ['Book', `version ${of.version}`],
        ['Decided', <time dateTime={of.decidedAt}>{timeText(of.decidedAt)} UTC</time>],
        ['Valid for', left > 0 ? spanText(left) : <span class="down">over for {spanText(left)}</span>],
        ['Lower than a day ago', lower === 0 ? '0' : <span class="down">{lower}</span>],
        ['Higher', higher === 0 ? '0' : <span class="up">{higher}</span>],
        ['Held by people', String(held)],
        ['Model', of.model === null ? <span class="down">classical only</span> : <code>{of.model}</code>],
      ]}
    />
  );
}
