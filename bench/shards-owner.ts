import { NatsBroker } from '../data/nats/nats-broker.ts';
import { ownShard } from '../src/control/streams/shard-owner.fixture.ts';

/** A process that takes the backlog of one partition in, and says how long that took: address, prefix, partitions, name, folder, one line more. */
const [url, prefix, partitions, worker, folder, line] = process.argv.slice(2);
const broker = await NatsBroker.open({
  ...{ url, prefix, credentials: null, partitions: Number(partitions), replicas: 1, name: worker },
});
process.once('message', async () => {
  const kept = Promise.withResolvers<void>();
  const since = performance.now();
  const owner = await ownShard({
    ...{ broker, worker, session: worker, folder, snapshotBytes: Number.POSITIVE_INFINITY },
    onMessage: (message) => {
      if ('shard' in message && message.shard.state === 'kept') kept.resolve();
    },
  });
  await kept.promise;
  // Answered behind everything that came before it; one of another partition is answered too.
  await owner.ask('lines', { text: line, at: 0 });
  process.send?.((performance.now() - since) / 1000);
  await owner.stop();
  await broker.close();
  process.disconnect();
});
process.send?.('ready');
