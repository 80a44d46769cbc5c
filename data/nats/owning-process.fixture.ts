import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { ownShard } from '../../src/control/streams/shard-owner.fixture.ts';
import { NatsBroker } from './nats-broker.ts';

/**
 * A process for takeover tests: owns a partition when one is free, and prints `kept` when it keeps it and the sequence of every
 * intervention that it tells. Arguments: address, prefix, its name, its folder, bytes of batches between snapshots,
 * milliseconds of a lease.
 */
const [url, prefix, worker, folder, snapshotBytes, leaseMilliseconds = '500'] = process.argv.slice(2);
const broker = await NatsBroker.open({
  ...{ url, prefix, credentials: null, partitions: 1, replicas: 1, name: worker },
  leaseMilliseconds: Number(leaseMilliseconds),
});
flushCompileCache();
// Straight to the file descriptor: a line that waits in a buffer would die with the process.
await ownShard({
  ...{ broker, worker, session: `${worker}-${process.pid}`, folder },
  snapshotBytes: Number(snapshotBytes),
  onMessage: (message) => {
    if ('shard' in message) writeSync(1, `${message.shard.state}\n`);
    if ('told' in message) for (const { sequence } of message.told) writeSync(1, `told ${sequence}\n`);
  },
});
