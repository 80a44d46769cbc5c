import { useState } from 'preact/hooks';
import type { User, UserPolicy } from '../../answers.ts';
import { Problem, read, write } from '../../api.ts';
import { leverageText } from '../../format.ts';
import { ActionDialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { useResource } from '../../resource.ts';
import { changesOf, type UserDraft, userDraftOf, userSettingsOf } from './user-draft.ts';

/** Changes what is set for a user; says before it is sent what becomes another. */
export function UserDialog({
  userId,
  before,
  onClose,
  onDone,
}: {
  readonly userId: string;
  readonly before: User | null;
  readonly onClose: () => void;
  /** @param count of settings that were changed. */
  readonly onDone: (count: number) => void;
}) {
  // What others set meanwhile is not drawn over, and not written over either.
  const [seen] = useState(before);
  const [draft, setDraft] = useState(userDraftOf(seen));
  const policy = useResource<UserPolicy>('/v1/user-policy').data;
  const { settings, faults } = userSettingsOf(draft, seen);
  const changes = settings === null ? [] : changesOf(seen, settings);
  const path = `/v1/users/${encodeURIComponent(userId)}`;
  const act = async (): Promise<void> => {
    await requireUnchanged(path, seen);
    await write(path, { method: 'PUT', body: settings });
    onDone(changes.length);
  };
  const text = (name: keyof UserDraft) => ({
    name,
    value: draft[name],
    autocomplete: 'off',
    onInput: (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) => {
      const { value } = event.currentTarget;
      setDraft((last) => ({ ...last, [name]: value }));
    },
  });
  return (
    <ActionDialog
      title={`Policy of ${userId}`}
      verb="Set"
      isReady={changes.length > 0}
      act={act}
      onClose={onClose}
    >
      <div class="pairs">
        <Field label="Largest leverage of the house">
          <input {...text('maxLeverage')} inputMode="decimal" />
        </Field>
        <Field label="Class of experience">
          <select {...text('experienceClass')}>
            <option value="">not set</option>
            {policy?.experienceClasses.map(({ name, maximumLeverage }) => (
              <option key={name} value={name}>
                {name}, up to {leverageText(maximumLeverage)}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Account made on (UTC)">
          <input {...text('accountCreatedAt')} type="date" />
        </Field>
        <Field label="Own margin rate, percent">
          <input {...text('ownInitialMarginRate')} inputMode="decimal" />
        </Field>
        <Field
          label={`Notional coefficient${policy === null ? '' : `, up to ${policy.maximumNotionalCoef}`}`}
        >
          <input {...text('notionalCoef')} inputMode="decimal" />
        </Field>
      </div>
      <h3>Temporary limit</h3>
      <div class="pairs">
        <Field label="Largest leverage">
          <input {...text('overrideMaxLeverage')} inputMode="decimal" />
        </Field>
        <Field label="Until (UTC)">
          <input {...text('overrideExpiresAt')} type="datetime-local" />
        </Field>
      </div>
      <Field label="Reason">
        <input {...text('overrideReason')} maxLength={500} />
      </Field>
      {faults.map((fault) => (
        <p key={fault} class="notice bad">
          {fault}
        </p>
      ))}
      <div aria-live="polite">
        {changes.length === 0 ? (
          <p class="note">Nothing is changed yet.</p>
        ) : (
          <ul class="changes">
            {changes.map(({ name, from, to }) => (
              <li key={name}>
                {name}: <span class="soft">{from}</span> → <strong>{to}</strong>
              </li>
            ))}
          </ul>
        )}
      </div>
    </ActionDialog>
  );
}

/** The route has no revisions: whoever was faster is seen by the time of his change. */
async function requireUnchanged(path: string, seen: User | null): Promise<void> {
  const now = await read<User>(path, null, AbortSignal.timeout(10_000)).catch((thrown: unknown) => {
    if (thrown instanceof Problem && thrown.code === 'USER_UNKNOWN') return null;
    throw thrown;
  });
  if ((now?.data.updatedAt ?? null) === (seen?.updatedAt ?? null)) return;
  throw new Problem(
    'CONFLICT',
    409,
    'somebody else changed this user’s policy while it was open here',
    'Cancel, look at what it is now, and change it then.',
  );
}
