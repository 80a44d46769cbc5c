import type { Explain } from '../../answers.ts';
import { leverageText, wordsOf } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { type Column, DownloadButton } from '../../parts/table.tsx';
import '../../charts/bars.css';

/** The shock model cannot push a limit below it; it does not hold one down. */
const FLOOR = 'stress';

/** Bars end at so many times what is published. */
const MOST_RATIO = 3;

type Bound = Explain['bounds'][number];

/** Every bound from the tightest on, the one that binds marked, each with what it rests on. */
export function Bounds({ of: { bounds, bindingBound, governor } }: { readonly of: Explain }) {
  const limiting = bounds
    .filter(({ maxLeverage }) => maxLeverage !== null)
    .toSorted((a, b) => (a.maxLeverage ?? 0) - (b.maxLeverage ?? 0));
  const silent = bounds.filter(({ maxLeverage }) => maxLeverage === null);
  const { publishedMaxLeverage: published } = governor;
  // A bound far above the others would leave nothing to see of them.
  const most = Math.min(
    MOST_RATIO * published,
    Math.max(published, ...limiting.map(({ maxLeverage }) => maxLeverage ?? 0)),
  );
  const widthOf = (leverage: number): string => `${Math.min(100, (100 * leverage) / most)}%`;
  return (
    <Card
      title="Why: every bound"
      aside={<DownloadButton name="bounds.csv" columns={BOUND_COLUMNS} rows={bounds} />}
    >
      <div class="bounds">
        {limiting.map((bound) => (
          <details key={bound.name} class={bound.name === bindingBound ? 'binding' : ''}>
            <summary>
              <span class="name">
                {wordsOf(bound.name)}
                {bound.name === bindingBound && <span class="visually-hidden"> (binds)</span>}
                {bound.name === FLOOR && <span class="soft"> (floor)</span>}
              </span>
              <span class="track">
                <i
                  class={(bound.maxLeverage ?? 0) > most ? 'beyond' : ''}
                  style={{ width: widthOf(bound.maxLeverage ?? 0) }}
                />
                <b style={{ left: widthOf(published) }} title={`published ${leverageText(published)}`} />
              </span>
              <span class="value">{leverageText(bound.maxLeverage)}</span>
            </summary>
            <Evidence of={bound} />
          </details>
        ))}
      </div>
      <p class="note" style={{ marginTop: '.6rem' }}>
        The line is what is published, {leverageText(published)}. Open a bound for its evidence.
      </p>
      {silent.length > 0 && (
        <details>
          <summary class="note">{silent.length} bounds do not limit now</summary>
          <ul class="note">
            {silent.map((bound) => (
              <li key={bound.name}>
                {wordsOf(bound.name)}
                {!bound.available && `: not available, ${bound.unavailableReason}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

function Evidence({ of: { evidence, version } }: { readonly of: Bound }) {
  return (
    <dl class="evidence">
      {Object.entries(evidence).map(([name, value]) => (
        <div key={name}>
          <dt>{wordsOf(name)}</dt>
          <dd>{evidenceText(value)}</dd>
        </div>
      ))}
      <div>
        <dt>version</dt>
        <dd>
          <code>{version}</code>
        </dd>
      </div>
    </dl>
  );
}

function evidenceText(value: string | number | boolean | null): string {
  if (value === null) return 'not known';
  return typeof value === 'number' ? String(Number(value.toPrecision(5))) : String(value);
}

const BOUND_COLUMNS: readonly Column<Bound>[] = [
  { id: 'name', head: '', cell: () => null, csv: ({ name }) => name },
  { id: 'maxLeverage', head: '', cell: () => null, csv: ({ maxLeverage }) => maxLeverage },
  { id: 'available', head: '', cell: () => null, csv: ({ available }) => available },
  { id: 'version', head: '', cell: () => null, csv: ({ version }) => version },
  { id: 'evidence', head: '', cell: () => null, csv: ({ evidence }) => JSON.stringify(evidence) },
];
