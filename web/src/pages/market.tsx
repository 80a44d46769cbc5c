import type { Explain, Overview } from '../answers.ts';
import { leverageText, reasonText, spanText, timeText, wordsOf } from '../format.ts';
import type { PageProps } from '../pages.tsx';
import { Facts } from '../parts/card.tsx';
import { Loaded } from '../parts/states.tsx';
import { useResource } from '../resource.ts';
import { linkTo } from '../route.ts';
import { Bounds } from './market/bounds.tsx';
import { BracketTable } from './market/brackets.tsx';
import { Forecasts } from './market/forecasts.tsx';
import { Changes } from './market/history.tsx';
import { Sensitivities } from './market/sensitivity.tsx';
import { Tracks } from './market/tracks.tsx';

/** One market: what it may carry now, why, how it came to that, and how well its forecasts have held. */
export function MarketPage({ rest: [symbol] }: PageProps) {
  const explain = useResource<Explain>(`/v1/markets/${encodeURIComponent(symbol)}/explain`, {
    on: 'limits',
    everySeconds: 15,
  });
  return (
    <>
      <Head symbol={symbol} explain={explain.data} />
      <Loaded from={explain}>
        {(data) => (
          <>
            <State of={data} />
            <Tracks symbol={symbol} />
            <div class="columns">
              <Bounds of={data} />
              <Sensitivities symbol={symbol} />
            </div>
            <BracketTable symbol={symbol} />
            <Forecasts symbol={symbol} />
            <Changes symbol={symbol} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Head({ symbol, explain }: { readonly symbol: string; readonly explain: Explain | null }) {
  const { data } = useResource<Overview>('/v1/overview');
  const symbols = data?.markets.map((market) => market.symbol) ?? [];
  const at = symbols.indexOf(symbol);
  return (
    <div class="head">
      <h1>{symbol}</h1>
      {explain?.simulated && <span class="badge warn">simulated</span>}
      {explain?.degraded && <span class="badge bad">degraded</span>}
      {explain?.governance.freeze && <span class="badge accent">frozen</span>}
      {explain?.governance.override && <span class="badge accent">override</span>}
      <span class="spring" />
      <a href={linkTo(['what-if'], { symbol })}>Try an order</a>
      <a href={linkTo(['governance'], { new: 'override', symbol })}>Override</a>
      <a href={linkTo(['governance'], { new: 'freeze', symbol })}>Freeze</a>
      {at > 0 && (
        <a rel="prev" href={linkTo(['markets', symbols[at - 1]])}>
          ← {symbols[at - 1]}
        </a>
      )}
      {at >= 0 && at < symbols.length - 1 && (
        <a rel="next" href={linkTo(['markets', symbols[at + 1]])}>
          {symbols[at + 1]} →
        </a>
      )}
    </div>
  );
}

function State({ of }: { readonly of: Explain }) {
  const { governor, governance, reasons } = of;
  const waits = Date.parse(governor.looseningAllowedAt) - Date.now();
  return (
    <>
      <Facts
        of={[
          ['May carry', leverageText(governor.publishedMaxLeverage)],
          ['Held by', wordsOf(of.bindingBound)],
          ['Last move', governor.move],
          ['Bounds alone would give', leverageText(governor.targetMaxLeverage)],
          ['Since', `${timeText(governor.changedAt)} UTC`],
          ['May loosen', waits > 0 ? `in ${spanText(waits)}` : 'now'],
        ]}
      />
      <p class="note" style={{ marginBottom: 'var(--gap)' }}>
        {reasons.map(reasonText).join(' · ')}
      </p>
      {governance.freeze !== null && (
        <p class="notice plain">
          <strong>Frozen</strong> by {governance.freeze.by} since {timeText(governance.freeze.since)} UTC:{' '}
          {governance.freeze.reason}. <ChangeLink id={governance.freeze.id} />
        </p>
      )}
      {governance.override !== null && (
        <p class="notice plain">
          <strong>Override {leverageText(governance.override.maxLeverage)}</strong> by{' '}
          {governance.override.by}
          {governance.override.approvedBy !== null && `, approved by ${governance.override.approvedBy}`},
          until {timeText(governance.override.expiresAt)} UTC: {governance.override.reason}.{' '}
          <ChangeLink id={governance.override.id} />
        </p>
      )}
      {governance.emergency !== null && (
        <p class="notice bad">
          <strong>Emergency mode</strong> by {governance.emergency.by} since{' '}
          {timeText(governance.emergency.since)} UTC: {governance.emergency.reason}.
        </p>
      )}
    </>
  );
}

function ChangeLink({ id }: { readonly id: string }) {
  return <a href={linkTo(['governance'], { change: id })}>{id}</a>;
}
