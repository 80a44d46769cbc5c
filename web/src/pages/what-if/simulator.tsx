import { useState } from 'preact/hooks';
import type { Margin } from '../../answers.ts';
import { Card } from '../../parts/card.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { usePosted } from '../../posted.ts';
import { placeCell, refine } from '../../route.ts';
import {
  type AccountDraft,
  accountDraftOf,
  NO_ACCOUNT,
  type SimulateQuestion,
  shortText,
  simulateQuestionOf,
} from './account-draft.ts';
import { AccountForm } from './account-form.tsx';
import { MarginResult } from './margin-result.tsx';
import { useMarks } from './marks.ts';
import { MovesCard } from './moves-card.tsx';

/** The margin of an account that need not exist. The form is in the address while it is short enough for one. */
export function SimulatorTab() {
  const [draft, setDraft] = useState(draftInAddress);
  const [asked, ask] = useState<AccountDraft | null>(draft === NO_ACCOUNT ? null : draft);
  const marks = useMarks([...draft.positions, ...(asked?.positions ?? [])].map(({ symbol }) => symbol));
  const { question, faults } =
    asked === null ? { question: null, faults: [] } : simulateQuestionOf(asked, marks);
  const margin = usePosted<Margin>('/v1/margin/simulate', question, { isLive: true });
  const simulate = (chosen: AccountDraft): void => {
    setDraft(chosen);
    ask(chosen);
    refine({ book: shortText(chosen) });
  };
  return (
    <>
      <AccountForm draft={draft} marks={marks} onChange={setDraft} onSimulate={simulate} />
      <Card title="Margin">
        {asked !== null &&
          faults.map((fault) => (
            <p key={fault} class="notice bad" role="alert">
              {fault}
            </p>
          ))}
        {question === null ? (
          faults.length === 0 && (
            <Empty>
              Fill in an account, paste one, or load one that is known. Nothing of it is kept: a simulation
              changes nothing.
            </Empty>
          )
        ) : (
          <Loaded from={margin}>{(answer) => <MarginResult margin={answer} />}</Loaded>
        )}
      </Card>
      {question !== null && margin.data !== null && (
        <Moves question={question} margin={margin.data} isCurrent={!margin.isLoading} />
      )}
    </>
  );
}

/** Every market must have a mark that can be moved. */
function Moves({
  question,
  margin,
  isCurrent,
}: {
  readonly question: SimulateQuestion;
  readonly margin: Margin;
  readonly isCurrent: boolean;
}) {
  const marks = Object.fromEntries(
    margin.positions.flatMap(({ symbol, mark }) => (mark === null ? [] : [[symbol, mark]])),
  );
  const isKnown = margin.unpriced.length === 0 && Object.keys(marks).length > 0;
  return isKnown ? <MovesCard question={isCurrent ? question : null} marks={marks} /> : null;
}

function draftInAddress(): AccountDraft {
  const text = placeCell.get().query.get('book');
  if (text === null) return NO_ACCOUNT;
  try {
    return accountDraftOf(text);
  } catch {
    return NO_ACCOUNT;
  }
}
