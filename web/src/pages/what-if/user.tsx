import { useState } from 'preact/hooks';
import type { User } from '../../answers.ts';
import { timeText } from '../../format.ts';
import { Card, Facts } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { useResource } from '../../resource.ts';
import { UserDialog } from './user-dialog.tsx';
import { SETTING_NAMES, settingText, type UserSettings } from './user-draft.ts';

const SHOWN = [
  'maxLeverage',
  'experienceClass',
  'accountCreatedAt',
  'ownInitialMarginRatePpm',
  'notionalCoef',
] as const;

/** What is set for the user, and how it is changed. */
export function UserCard({ userId, onChanged }: { readonly userId: string; readonly onChanged: () => void }) {
  const user = useResource<User>(`/v1/users/${encodeURIComponent(userId)}`, { everySeconds: 30 });
  const [isEdited, setEdited] = useState(false);
  const [said, say] = useState('');
  const isUnknown = user.problem?.code === 'USER_UNKNOWN';
  const known = isUnknown ? null : user.data;
  const mayEdit = isUnknown || user.data !== null;
  return (
    <Card
      title={`Policy of ${userId}`}
      aside={
        <button type="button" onClick={() => setEdited(true)} disabled={!mayEdit}>
          {isUnknown ? 'Set' : 'Change'}
        </button>
      }
    >
      {said !== '' && (
        <p class="notice good" role="status">
          {said}
        </p>
      )}
      {isUnknown ? (
        <p class="note">
          Nothing is set for this user: what the policy says of everybody counts, and the account is taken to
          be young.
        </p>
      ) : (
        <Loaded from={user}>{(settings) => <Settings user={settings} />}</Loaded>
      )}
      {isEdited && (
        <UserDialog
          userId={userId}
          before={known}
          onClose={() => setEdited(false)}
          onDone={(count) => {
            say(
              `${count === 1 ? 'One setting was' : `${count} settings were`} changed and written to the audit trail. The caps above follow.`,
            );
            user.refresh();
            onChanged();
          }}
        />
      )}
    </Card>
  );
}

function Settings({ user }: { readonly user: User }) {
  return (
    <>
      <Facts
        of={SHOWN.map((name) => [SETTING_NAMES[name], <Setting key={name} name={name} user={user} />])}
      />
      {user.overrideMaxLeverage !== null && (
        <p class="notice warn">
          <strong>At most {settingText('overrideMaxLeverage', user)}</strong> until{' '}
          {settingText('overrideExpiresAt', user)}: {user.overrideReason}
        </p>
      )}
      <p class="note">Set last {timeText(user.updatedAt, true)} UTC.</p>
    </>
  );
}

function Setting({ name, user }: { readonly name: keyof UserSettings; readonly user: User }) {
  const text = settingText(name, user);
  return user[name] === null ? <span class="soft">{text}</span> : <span>{text}</span>;
}
