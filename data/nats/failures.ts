import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { streamLost } from '../../src/control/ports.ts';
import { PlimsollError } from '../../src/errors.ts';

/** Numbers of JetStream's own errors (https://github.com/nats-io/nats-server/blob/main/server/errors.json). */
export const JETSTREAM_ERRORS = {
  streamNotFound: 10059,
  streamNameInUse: 10058,
  wrongLastSequence: 10071,
} as const;

const MEND_THE_WAY = 'Start NATS with JetStream, or mend the way to it; nothing need be done here then.';

/** The server as messages may name it: without what is secret. */
export function shownUrl(url: string): string {
  return url
    .split(',')
    .map((one) => {
      const parsed = URL.parse(one);
      return parsed === null ? 'NATS' : `${parsed.protocol}//${parsed.host}`;
    })
    .join(',');
}

export function unavailable(where: string, why: string, cause?: unknown): PlimsollError {
  return new PlimsollError('STREAM_UNAVAILABLE', `${where}: NATS does not answer: ${why}`, {
    remedy: MEND_THE_WAY,
    ...(cause === undefined ? {} : { cause }),
  });
}

function refused(where: string, cause: Error): PlimsollError {
  return new PlimsollError(
    'STREAM_REFUSED',
    `${where}: NATS does not let this process in: ${cause.message}`,
    {
      remedy:
        'Mend the user in PLIMSOLL_NATS_URL, or PLIMSOLL_NATS_CREDENTIALS; it must be allowed to use JetStream, its streams and buckets.',
      cause,
    },
  );
}

export function jetStreamCode(thrown: unknown): number | null {
  return thrown instanceof JetStreamApiError ? thrown.code : null;
}

/** The client does not export this one. */
export function isJetStreamAway(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'JetStreamNotEnabled';
}

/** What NATS or its client said, as a PlimsollError. */
export function asStreamError(where: string, thrown: unknown): PlimsollError {
  if (thrown instanceof PlimsollError) return thrown;
  if (!(thrown instanceof Error)) return unavailable(where, String(thrown));
  const causes = [thrown, thrown.cause].filter((one) => one instanceof Error);
  for (const one of causes) {
    if (one instanceof errors.AuthorizationError || one instanceof errors.UserAuthenticationExpiredError)
      return refused(where, one);
    if (one instanceof errors.PermissionViolationError) return refused(where, one);
    if (jetStreamCode(one) === JETSTREAM_ERRORS.streamNotFound)
      return streamLost(`${where}: a stream is gone: ${one.message}`);
    // The client does not export this one.
    if (one.name === 'JetStreamNotEnabled') return unavailable(where, 'it runs without JetStream', thrown);
  }
  return unavailable(where, said(thrown), thrown);
}

function said(thrown: Error): string {
  const all = (thrown as AggregateError).errors as readonly Error[] | undefined;
  return thrown.message || (all ?? []).map(({ message }) => message).join(', ') || thrown.name;
}
