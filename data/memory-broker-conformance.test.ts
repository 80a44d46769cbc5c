import { ManualClock } from '../src/clock.ts';
import { MemoryBroker } from '../src/control/streams/memory-broker.ts';
import { PlimsollError } from '../src/errors.ts';
import { eventLogConforms } from './conformance/event-log.fixture.ts';

eventLogConforms(async () => {
  const clock = new ManualClock(0);
  const broker = new MemoryBroker(2, clock, 1000);
  return {
    open: async (partitions = 2) => {
      if (partitions !== null && partitions !== 2)
        throw new PlimsollError('CONFIG_INVALID', `there are 2 partitions, not ${partitions}`);
      return broker;
    },
    pass: async (milliseconds) => clock.advance(milliseconds),
    remove: async () => undefined,
  };
});
