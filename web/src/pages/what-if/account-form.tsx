import { useState } from 'preact/hooks';
import type { Markets } from '../../answers.ts';
import { decimalPriceText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Choice, Field } from '../../parts/fields.tsx';
import { useResource } from '../../resource.ts';
import { type AccountDraft, NO_POSITION, type PositionDraft } from './account-draft.ts';
import { LoadDialog, PasteDialog } from './account-sources.tsx';

/** A form of more positions than this is nothing that is typed; what is pasted may have as many as it likes. */
const MOST_SHOWN = 40;

export interface AccountFormProps {
  readonly draft: AccountDraft;
  /** The newest that are known. */
  readonly marks: Readonly<Record<string, string>>;
  readonly onChange: (draft: AccountDraft) => void;
  readonly onSimulate: (draft: AccountDraft) => void;
}

export function AccountForm({ draft, marks, onChange, onSimulate }: AccountFormProps) {
  const [dialog, open] = useState<'paste' | 'load' | null>(null);
  const markets = useResource<Markets>('/v1/markets', { on: 'limits' }).data?.markets ?? [];
  const { positions } = draft;
  const symbols = [...new Set(positions.map(({ symbol }) => symbol))].filter(Boolean);
  const send = (event: Event): void => {
    event.preventDefault();
    onSimulate(draft);
  };
  const setPosition = (index: number, part: Partial<PositionDraft>): void =>
    onChange({ ...draft, positions: positions.map((one, i) => (i === index ? { ...one, ...part } : one)) });
  return (
    <Card
      title="Account"
      aside={
        <>
          <button type="button" onClick={() => open('load')}>
            Load a known one
          </button>
          <button type="button" onClick={() => open('paste')}>
            Paste JSON
          </button>
        </>
      }
    >
      <form onSubmit={send}>
        <div class="form">
          <Choice
            label="Margin mode"
            options={[
              ['cross', 'Cross'],
              ['isolated', 'Isolated'],
            ]}
            value={draft.marginMode}
            onChange={(marginMode) => onChange({ ...draft, marginMode })}
          />
          <Field label="Equity, without open profit">
            <input
              class="number"
              inputMode="decimal"
              autocomplete="off"
              size={16}
              value={draft.equity}
              onInput={(event) => onChange({ ...draft, equity: event.currentTarget.value })}
            />
          </Field>
          <Field label="User, for a margin rate of his own">
            <input
              autocomplete="off"
              spellcheck={false}
              maxLength={64}
              size={16}
              value={draft.user}
              onInput={(event) => onChange({ ...draft, user: event.currentTarget.value })}
            />
          </Field>
        </div>
        <div class="positions">
          {positions.slice(0, MOST_SHOWN).map((position, i) => (
            <PositionFields
              key={i}
              name={`Position ${i + 1}`}
              position={position}
              isIsolated={draft.marginMode === 'isolated'}
              mark={marks[position.symbol] ?? ''}
              onChange={(part) => setPosition(i, part)}
              onRemove={
                positions.length === 1
                  ? null
                  : () => onChange({ ...draft, positions: positions.filter((_, at) => at !== i) })
              }
            />
          ))}
        </div>
        {positions.length > MOST_SHOWN && (
          <p class="note">{positions.length - MOST_SHOWN} more positions are not shown here; they count.</p>
        )}
        <datalist id="margin-markets">
          {markets.map(({ symbol }) => (
            <option key={symbol} value={symbol} />
          ))}
        </datalist>
        <div class="form">
          {symbols.slice(0, MOST_SHOWN).map((symbol) => (
            <Field key={symbol} label={`Mark of ${symbol}`}>
              <input
                class="number"
                inputMode="decimal"
                autocomplete="off"
                size={14}
                placeholder={marks[symbol] === undefined ? 'not known' : decimalPriceText(marks[symbol])}
                value={draft.prices[symbol] ?? ''}
                onInput={(event) =>
                  onChange({ ...draft, prices: { ...draft.prices, [symbol]: event.currentTarget.value } })
                }
              />
            </Field>
          ))}
          <button
            type="button"
            onClick={() => onChange({ ...draft, positions: [...positions, NO_POSITION] })}
          >
            Add a position
          </button>
          <button type="submit" class="primary">
            Simulate
          </button>
        </div>
        <p class="note">An entry price or a mark that is left empty is the newest mark.</p>
      </form>
      {dialog === 'paste' && <PasteDialog onClose={() => open(null)} onTake={onSimulate} />}
      {dialog === 'load' && <LoadDialog onClose={() => open(null)} onTake={onSimulate} />}
    </Card>
  );
}

function PositionFields({
  name,
  position,
  isIsolated,
  mark,
  onChange,
  onRemove,
}: {
  readonly name: string;
  readonly position: PositionDraft;
  readonly isIsolated: boolean;
  readonly mark: string;
  readonly onChange: (part: Partial<PositionDraft>) => void;
  readonly onRemove: (() => void) | null;
}) {
  const number = (field: 'quantity' | 'entryPrice' | 'isolatedMargin') => ({
    class: 'number',
    inputMode: 'decimal' as const,
    autocomplete: 'off',
    size: 13,
    value: position[field],
    onInput: (event: { currentTarget: HTMLInputElement }) => onChange({ [field]: event.currentTarget.value }),
  });
  return (
    <fieldset class="form" aria-label={name}>
      <Field label="Market">
        <input
          list="margin-markets"
          autocomplete="off"
          spellcheck={false}
          size={13}
          value={position.symbol}
          onInput={(event) => onChange({ symbol: event.currentTarget.value.toUpperCase() })}
        />
      </Field>
      <Field label="Side">
        <select
          value={position.side}
          onChange={(event) => onChange({ side: event.currentTarget.value as 'long' | 'short' })}
        >
          <option value="long">long</option>
          <option value="short">short</option>
        </select>
      </Field>
      <Field label="Quantity">
        <input {...number('quantity')} />
      </Field>
      <Field label="Entry price">
        <input {...number('entryPrice')} placeholder={mark === '' ? 'the mark' : decimalPriceText(mark)} />
      </Field>
      <Field label={isIsolated ? 'Isolated margin' : 'Isolated margin, if any'}>
        <input {...number('isolatedMargin')} />
      </Field>
      {onRemove !== null && (
        <button type="button" onClick={onRemove} aria-label={`Remove ${name.toLowerCase()}`}>
          Remove
        </button>
      )}
    </fieldset>
  );
}
