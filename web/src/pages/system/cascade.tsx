import { useEffect, useState } from 'preact/hooks';
import type { Stress } from '../../answers.ts';
import { signedPercentText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Field } from '../../parts/fields.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { usePosted } from '../../posted.ts';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { CascadeResult } from './cascade-result.tsx';
import {
  addressOfScenario,
  type MarketMove,
  PRESETS,
  type ScenarioDraft,
  scenarioDraftOf,
  scenarioOf,
} from './scenario.ts';

/** A shock, and what it would set off. */
export function CascadeCard({ symbols }: { readonly symbols: readonly string[] }) {
  const { query } = useCell(placeCell);
  const asked = scenarioDraftOf(query);
  const { scenario, faults } = asked === null ? { scenario: null, faults: [] } : scenarioOf(asked);
  const stress = usePosted<Stress>('/v1/stress', scenario);
  return (
    <Card
      title="Cascade"
      aside={
        scenario !== null && (
          <button type="button" onClick={stress.refresh} disabled={stress.isLoading}>
            {stress.isLoading ? 'Running …' : 'Run again'}
          </button>
        )
      }
    >
      <ScenarioForm asked={asked ?? { move: '', moves: [] }} symbols={symbols} />
      {faults.map((fault) => (
        <p key={fault} class="notice bad" role="alert">
          {fault}
        </p>
      ))}
      {scenario === null ? (
        faults.length === 0 && (
          <Empty>
            Choose a shock: marks move, whoever falls is sold, the sales move marks further. Nothing is
            changed by it.
          </Empty>
        )
      ) : (
        <Loaded from={stress}>{(answer) => <CascadeResult stress={answer} />}</Loaded>
      )}
    </Card>
  );
}

function ScenarioForm({
  asked,
  symbols,
}: {
  readonly asked: ScenarioDraft;
  readonly symbols: readonly string[];
}) {
  const [draft, setDraft] = useState(asked);
  useEffect(() => setDraft(asked), [JSON.stringify(asked)]);
  const run = (chosen: ScenarioDraft): void => refine(addressOfScenario(chosen));
  const setMove = (index: number, part: Partial<MarketMove>): void =>
    setDraft({ ...draft, moves: draft.moves.map((one, i) => (i === index ? { ...one, ...part } : one)) });
  return (
    <form
      class="scenario"
      onSubmit={(event) => {
        event.preventDefault();
        run(draft);
      }}
    >
      <fieldset class="group presets" aria-label="All markets move by">
        {PRESETS.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={asked.move === preset && asked.moves.length === 0}
            onClick={() => run({ move: preset, moves: [] })}
          >
            {signedPercentText(Number(preset) / 100, 0)}
          </button>
        ))}
      </fieldset>
      <div class="form">
        <Field label="All markets, percent">
          <input
            class="number"
            inputMode="decimal"
            autocomplete="off"
            size={7}
            placeholder="0"
            value={draft.move}
            onInput={(event) => setDraft({ ...draft, move: event.currentTarget.value })}
          />
        </Field>
        {draft.moves.map(({ symbol, move }, i) => (
          <div class="form" key={i}>
            <Field label="Market">
              <select value={symbol} onChange={(event) => setMove(i, { symbol: event.currentTarget.value })}>
                <option value="">none</option>
                {[...new Set([...symbols, symbol])].filter(Boolean).map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            </Field>
            <Field label="moves by percent">
              <input
                class="number"
                inputMode="decimal"
                autocomplete="off"
                size={7}
                value={move}
                onInput={(event) => setMove(i, { move: event.currentTarget.value })}
              />
            </Field>
          </div>
        ))}
        <button
          type="button"
          onClick={() => setDraft({ ...draft, moves: [...draft.moves, { symbol: '', move: '' }] })}
        >
          Add a market
        </button>
        <button type="submit" class="primary">
          Run
        </button>
      </div>
    </form>
  );
}
