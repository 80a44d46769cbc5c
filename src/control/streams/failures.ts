import { PlimsollError } from '../../errors.ts';

/** Somebody else has written where one may write. */
export function shardLost(topic: string): PlimsollError {
  return new PlimsollError('SHARD_LOST', `another process has taken ${topic} over`, {
    remedy: 'Nothing of it was taken here; send it to the process that keeps these accounts now.',
  });
}

export function streamLost(what: string): PlimsollError {
  return new PlimsollError('STREAM_LOST', what, {
    remedy:
      'Restore the stream from its backup. Without one, stop all processes, choose another PLIMSOLL_NATS_PREFIX and send all accounts again.',
  });
}

export function shardNotHeld(why: string): PlimsollError {
  return new PlimsollError('SHARD_NOT_HELD', `this process keeps no accounts now: ${why}`, {
    remedy: 'Come again after Retry-After, or ask the process that keeps them.',
  });
}

export function nobodyAnswers(partition: number): PlimsollError {
  return new PlimsollError(
    'SHARD_NOT_HELD',
    `no process answers for partition ${partition} of the accounts`,
    {
      remedy: 'Come again after Retry-After: another process takes it over. Start one where there is none.',
    },
  );
}
