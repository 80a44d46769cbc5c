import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe } from 'vitest';
import { eventLogConforms } from '../conformance/event-log.fixture.ts';
import { NatsBroker } from './nats-broker.ts';
import { dropStreams, testNats, testPrefix } from './test-server.ts';

const server = await testNats();

describe.skipIf(server === null)('NATS JetStream', () => {
  afterAll(() => server?.stop());

  eventLogConforms(async () => {
    const url = server?.url ?? '';
    const prefix = testPrefix();
    return {
      open: (partitions = 2) =>
        NatsBroker.open({
          ...{ url, prefix, partitions, credentials: null, replicas: 1, name: 'test' },
          leaseMilliseconds: 500,
        }),
      pass: (milliseconds) => wait(milliseconds),
      remove: () => dropStreams(url, prefix),
    };
  });
});
