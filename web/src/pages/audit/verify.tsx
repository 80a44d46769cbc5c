import { useEffect, useRef, useState } from 'preact/hooks';
import type { Audit } from '../../answers.ts';
import { authorization, Problem, read } from '../../api.ts';
import { timeText } from '../../format.ts';
import { Card, Facts } from '../../parts/card.tsx';
import { Field } from '../../parts/fields.tsx';
import { ProblemNotice } from '../../parts/states.tsx';
import { ChainCheck, type ChainFault, type Checkpoint, signatureFault } from './chain-check.ts';
import { type OwnVerification, ownVerificationOf } from './own-verification.ts';

const PAGE = 1000;

interface Verified {
  readonly entries: number;
  readonly hash: string;
  readonly fault: ChainFault | null;
  readonly checkpoint: Checkpoint | null;
  readonly milliseconds: number;
}

/** Proof of the chain: what was signed, what the service found itself, and the same recomputed by this browser. */
export function VerifyCard({ audit }: { readonly audit: Audit }) {
  const { checkpoint, length } = audit;
  const own = useOwnVerification();
  return (
    <Card title="Proof">
      <Facts
        of={[
          ['entries', length.toLocaleString('en-US')],
          ['newest checkpoint', checkpoint === null ? 'none' : `number ${checkpoint.number}`],
          checkpoint === null ? null : ['signed', `${timeText(checkpoint.at)} UTC`],
          checkpoint === null
            ? null
            : ['it saw', `${checkpoint.auditEntries} entries, ${checkpoint.books} books`],
          checkpoint === null ? null : ['by the key', <code key="key">{checkpoint.keyId}</code>],
          own === null ? null : ['the service itself found', <OwnResult key="own" of={own} />],
        ]}
      />
      <ChainVerifier length={length} />
      {checkpoint !== null && <SignatureVerifier checkpoint={checkpoint} />}
    </Card>
  );
}

function OwnResult({ of: { heldAt, failures } }: { readonly of: OwnVerification }) {
  if (failures > 0)
    return (
      <span class="badge bad">
        {failures} {failures === 1 ? 'verification' : 'verifications'} failed
      </span>
    );
  if (heldAt === null) return <>not judged since its start</>;
  return (
    <>
      <span class="badge good">all holds</span> {timeText(heldAt)} UTC
    </>
  );
}

const OWN_EVERY_MILLISECONDS = 60_000;

/** Null while it is not known, or not told to this key. */
function useOwnVerification(): OwnVerification | null {
  const [own, setOwn] = useState<OwnVerification | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    const look = (): void => {
      fetch('/metrics', { headers: authorization(), signal: ended.signal })
        .then(async (response) => setOwn(response.ok ? ownVerificationOf(await response.text()) : null))
        .catch(() => {});
    };
    look();
    const timer = setInterval(look, OWN_EVERY_MILLISECONDS);
    return () => {
      clearInterval(timer);
      ended.abort();
    };
  }, []);
  return own;
}

/** Reads the whole chain and recomputes it. */
function ChainVerifier({ length }: { readonly length: number }) {
  const [done, setDone] = useState<{ readonly verified: number; readonly of: number } | null>(null);
  const [result, setResult] = useState<Verified | Problem | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  if (globalThis.crypto?.subtle === undefined) return <NotSecure />;
  const verify = async (): Promise<void> => {
    const stop = new AbortController();
    running.current = stop;
    setResult(null);
    setDone({ verified: 0, of: length });
    const found = await verifyChain(stop.signal, (verified, of) => setDone({ verified, of })).catch(
      problemOf,
    );
    if (!stop.signal.aborted) setResult(found);
    setDone(null);
  };
  return (
    <div class="verify">
      {done === null ? (
        <button type="button" class="primary" onClick={verify}>
          Verify in this browser
        </button>
      ) : (
        <>
          <progress value={done.verified} max={Math.max(1, done.of)} aria-label="Entries verified" />
          <span>
            {done.verified.toLocaleString('en-US')} of {done.of.toLocaleString('en-US')} entries
          </span>
          <button type="button" onClick={() => running.current?.abort()}>
            Stop
          </button>
        </>
      )}
      <div role="status" class="result">
        {result instanceof Problem ? (
          <ProblemNotice problem={result} />
        ) : (
          result !== null && <Result of={result} />
        )}
      </div>
    </div>
  );
}

function NotSecure() {
  return (
    <p class="notice warn">
      <strong>This browser lends no SHA-256 to this page</strong>, because it was opened without TLS from
      another machine. Open it by https or on the machine itself, or run <code>plimsoll audit verify</code>.
    </p>
  );
}

function Result({ of: { entries, hash, fault, checkpoint, milliseconds } }: { readonly of: Verified }) {
  if (fault !== null)
    return (
      <p class="notice bad">
        <strong>The chain does not hold.</strong> Entry {fault.sequence}: {fault.what}. {entries} entries
        before it hold.{' '}
        <span class="remedy">
          Run plimsoll audit verify where the data are; restore the last good backup.
        </span>
      </p>
    );
  return (
    <div class="notice good">
      <strong>The chain holds.</strong> {entries.toLocaleString('en-US')} entries were recomputed in{' '}
      {(milliseconds / 1000).toFixed(1)} s: whole from the first to <code class="hash">{hash}</code>.{' '}
      {checkpoint === null
        ? 'There is no signed checkpoint to compare it with.'
        : `Entry ${checkpoint.auditEntries} has the hash that checkpoint ${checkpoint.number} signed${
            entries > checkpoint.auditEntries
              ? `; the ${entries - checkpoint.auditEntries} after it are not signed yet`
              : ''
          }.`}
    </div>
  );
}

/** @throws Problem where the service does not answer. */
async function verifyChain(
  signal: AbortSignal,
  tell: (verified: number, of: number) => void,
): Promise<Verified> {
  const begun = performance.now();
  let check: ChainCheck | null = null;
  let checkpoint: Checkpoint | null = null;
  let fault: ChainFault | null = null;
  for (let after: number | null = 0; after !== null && fault === null; ) {
    const answer: Awaited<ReturnType<typeof read<Audit>>> = await read<Audit>(
      `/v1/audit?after=${after}&limit=${PAGE}`,
      null,
      signal,
    );
    if (answer === null) break;
    const { entries, nextAfter, length, checkpoint: signed }: Audit = answer.data;
    // What the first page names was signed before anything that is read from here on.
    if (check === null) checkpoint = signed;
    check ??= new ChainCheck(crypto.subtle, checkpoint);
    fault = await check.take(entries);
    signal.throwIfAborted();
    tell(check.verified, length);
    after = nextAfter;
  }
  const { verified: entries = 0, hash = '' } = check ?? {};
  const milliseconds = performance.now() - begun;
  return { entries, hash, fault: fault ?? check?.finish() ?? null, checkpoint, milliseconds };
}

function problemOf(thrown: unknown): Problem {
  return thrown instanceof Problem ? thrown : new Problem('UNREADABLE', -2, String(thrown), '');
}

/** The service does not tell its public key: whoever is to be convinced brings the copy that was kept elsewhere. */
function SignatureVerifier({ checkpoint }: { readonly checkpoint: Checkpoint }) {
  const [pem, setPem] = useState('');
  const [result, setResult] = useState<{ readonly of: string; readonly fault: string | null } | null>(null);
  if (globalThis.crypto?.subtle === undefined) return null;
  const verify = async (event: Event): Promise<void> => {
    event.preventDefault();
    const fault = await signatureFault(crypto.subtle, checkpoint, pem).catch(
      () => 'this browser verifies no Ed25519: run plimsoll audit verify --public-key, or openssl',
    );
    setResult({ of: checkpoint.signature, fault });
  };
  return (
    <details class="signature">
      <summary>Verify the signature of the checkpoint</summary>
      <form onSubmit={verify}>
        <p class="note">
          Whoever has the whole data folder can sign another history. So the key is not asked of the service:
          paste the copy of <code>checkpoint.pub</code> that was kept elsewhere (
          <code>plimsoll audit key</code>
          ). Without one, <code>plimsoll audit verify</code> checks every signature with the keys of the
          folder.
        </p>
        <Field label="Public key (PEM)">
          <textarea
            rows={4}
            spellcheck={false}
            required
            value={pem}
            onInput={(event) => setPem(event.currentTarget.value)}
          />
        </Field>
        <button type="submit" disabled={pem.trim() === ''}>
          Verify the signature
        </button>
      </form>
      <div role="status">
        {result !== null &&
          result.of === checkpoint.signature &&
          (result.fault === null ? (
            <p class="notice good">
              <strong>The signature holds</strong>: checkpoint {checkpoint.number} is signed by the key{' '}
              {checkpoint.keyId}.
            </p>
          ) : (
            <p class="notice bad">
              <strong>The signature does not hold:</strong> {result.fault}.
            </p>
          ))}
      </div>
    </details>
  );
}
