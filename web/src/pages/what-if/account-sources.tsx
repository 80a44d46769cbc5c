import { useState } from 'preact/hooks';
import type { Margin } from '../../answers.ts';
import { Problem, read } from '../../api.ts';
import { ActionDialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { type AccountDraft, accountDraftOf, draftOfMargin } from './account-draft.ts';

interface SourceProps {
  readonly onTake: (draft: AccountDraft) => void;
  readonly onClose: () => void;
}

const EXAMPLE =
  '{"marginMode":"cross","equity":"1000.5","positions":[{"symbol":"BTCUSDT","side":"long","quantity":"0.5","entryPrice":"29000"}]}';

/** An account as it is streamed, or the body of a simulation. */
export function PasteDialog({ onTake, onClose }: SourceProps) {
  const [text, setText] = useState('');
  const act = async (): Promise<void> => {
    try {
      onTake(accountDraftOf(text));
    } catch (thrown) {
      throw new Problem(
        'JSON_INVALID',
        400,
        (thrown as Error).message,
        'Paste an account as it is streamed.',
      );
    }
  };
  return (
    <ActionDialog
      title="Paste an account"
      verb="Take it"
      isReady={text.trim() !== ''}
      act={act}
      onClose={onClose}
    >
      <Field label="One account as it is streamed, or the body of a simulation">
        <textarea
          rows={10}
          spellcheck={false}
          placeholder={EXAMPLE}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </Field>
      <p class="note">
        Brackets, contracts and betas of your own are left out here; <code>POST /v1/margin/simulate</code>{' '}
        takes them.
      </p>
    </ActionDialog>
  );
}

/** An account that has come in, with its collateral reckoned back from its equity. */
export function LoadDialog({ onTake, onClose }: SourceProps) {
  const [id, setId] = useState('');
  const act = async (): Promise<void> => {
    const path = `/v1/accounts/${encodeURIComponent(id.trim())}/margin`;
    const margin = (await read<Margin>(path, null, AbortSignal.timeout(10_000)))?.data;
    const draft = margin === undefined ? null : draftOfMargin(margin);
    if (draft === null)
      throw new Problem(
        'PRICE_UNKNOWN',
        409,
        'a mark is missing of what the account holds, so its collateral is not known',
        'Send the mark with POST /v1/prices, or paste the account.',
      );
    onTake(draft);
  };
  return (
    <ActionDialog
      title="Load a known account"
      verb="Load"
      isReady={id.trim() !== ''}
      act={act}
      onClose={onClose}
    >
      <Field label="Account">
        <input
          autocomplete="off"
          spellcheck={false}
          value={id}
          onInput={(event) => setId(event.currentTarget.value)}
        />
      </Field>
      <p class="note">It is copied as it is now; what is changed here reaches nobody.</p>
    </ActionDialog>
  );
}
