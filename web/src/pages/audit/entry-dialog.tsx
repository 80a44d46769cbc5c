import { useEffect, useState } from 'preact/hooks';
import type { AuditEntry } from '../../answers.ts';
import { timeText } from '../../format.ts';
import { Facts } from '../../parts/card.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/states.tsx';
import { useResource } from '../../resource.ts';
import { linkTo } from '../../route.ts';
import { entryHash } from './chain-check.ts';
import { mentionsOf } from './words.ts';

/** One entry with all that was hashed. */
export function EntryDialog({
  sequence,
  onClose,
}: {
  readonly sequence: string;
  readonly onClose: () => void;
}) {
  const found = useResource<AuditEntry>(`/v1/audit/${encodeURIComponent(sequence)}`);
  return (
    <Dialog title={`Audit entry ${sequence}`} onClose={onClose}>
      <Loaded from={found}>{(entry) => <Details entry={entry} />}</Loaded>
      <div class="ends">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Details({ entry }: { readonly entry: AuditEntry }) {
  const { at, kind, actor, subject, reason, details, previousHash, hash, sequence } = entry;
  const { markets, changes, book } = mentionsOf(entry);
  return (
    <div class="entry">
      <Facts
        of={[
          ['time', `${timeText(at, true)} UTC`],
          ['kind', kind],
          ['actor', actor],
          ['about', subject],
        ]}
      />
      <p class="quote">“{reason}”</p>
      {(markets.length > 0 || changes.length > 0 || book !== null) && (
        <p class="links">
          {changes.map((id) => (
            <a key={id} href={linkTo(['governance'], { change: id })}>
              {id}
            </a>
          ))}
          {markets.map((symbol) => (
            <a key={symbol} href={linkTo(['markets', symbol])}>
              {symbol}
            </a>
          ))}
          {book !== null && (
            <span class="note">
              The whole book: <code>GET /v1/limits?asOf={at}</code>; decided again by{' '}
              <code>plimsoll audit replay {book}</code>
            </span>
          )}
        </p>
      )}
      <h3>Details</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{JSON.stringify(details, null, 2)}</pre>
      <h3>Hashes</h3>
      <dl class="hashes">
        <dt>before it</dt>
        <dd>
          <code>{previousHash}</code>
          {sequence > 1 && (
            <a href={linkTo(['audit'], { entry: String(sequence - 1) })}> entry {sequence - 1}</a>
          )}
        </dd>
        <dt>its own</dt>
        <dd>
          <code>{hash}</code> <Recomputed entry={entry} />
        </dd>
      </dl>
    </div>
  );
}

/** Whether the hash is that of what is shown; nothing where the browser lends no SHA-256. */
function Recomputed({ entry }: { readonly entry: AuditEntry }) {
  const [computed, setComputed] = useState<{ readonly of: AuditEntry; readonly hash: string | null } | null>(
    null,
  );
  useEffect(() => {
    if (globalThis.crypto?.subtle === undefined) return;
    void entryHash(crypto.subtle, entry).then((hash) => setComputed({ of: entry, hash }));
  }, [entry]);
  if (computed?.of !== entry) return null;
  return computed.hash === entry.hash ? (
    <span class="badge good">recomputed here: the same</span>
  ) : (
    <span class="badge bad">not the hash of this content</span>
  );
}
