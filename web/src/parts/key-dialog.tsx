import { useState } from 'preact/hooks';
import { isKeyWanted, keyCell, takeKey } from '../session.ts';
import { useCell } from '../signal.ts';
import { Dialog } from './dialog.tsx';
import { Field } from './fields.tsx';

export function KeyButton() {
  const key = useCell(keyCell);
  return (
    <button type="button" onClick={() => isKeyWanted.set(true)}>
      {key === null ? 'Enter a key' : 'Key in use'}
    </button>
  );
}

/** Asks for the key that everything is read and written with. */
export function KeyDialog() {
  const key = useCell(keyCell);
  const [typed, setTyped] = useState('');
  const close = (): void => isKeyWanted.set(false);
  const take = (event: Event): void => {
    event.preventDefault();
    if (typed.trim() !== '') takeKey(typed.trim());
  };
  return (
    <Dialog title="Key" onClose={close}>
      <form style={{ padding: 0 }} onSubmit={take}>
        <p class="note">
          An API key or token. On a first start the operator key is in <code>operator.key</code> of the data
          folder. It stays in this tab and is forgotten with it.
        </p>
        <Field label="Key">
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </Field>
        <div class="ends">
          {key !== null && (
            <button type="button" onClick={() => takeKey(null)}>
              Forget it
            </button>
          )}
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Use it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
