import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Broker, LogEntry, Topic } from '../../src/control/ports.ts';

/** Where brokers of one kind are opened: each is a process of its own to the others. */
export interface BrokerPlace {
  open(partitions?: number | null): Promise<Broker>;
  /** Lets so much time go by for leases. */
  pass(milliseconds: number): Promise<void>;
  remove(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textsOf = (entries: readonly LogEntry[]): string[] =>
  entries.map(({ body }) => new TextDecoder().decode(body));

/** What every broker of the streams holds. Another adapter (Kafka, Redpanda) runs it with a place of its own. */
export function eventLogConforms(makePlace: () => Promise<BrokerPlace>): void {
  describe('the event log', () => {
    let place: BrokerPlace;
    let one: Broker;
    let other: Broker;

    beforeEach(async () => {
      place = await makePlace();
      one = await place.open();
      other = await place.open();
    });
    afterEach(async () => {
      await Promise.all([one.close(), other.close()]);
      await place.remove();
    });

    async function fill(topic: Topic, count: number): Promise<void> {
      for (let i = 1; i <= count; i++) await one.log.append(topic, bytes(`${topic} ${i}`));
    }

    test('gives entries the sequences 1, 2, 3 of their topic, and every process reads them in that order', async () => {
      expect(await one.log.extent('accounts.0')).toEqual({ first: 1, last: 0 });
      await fill('accounts.0', 3);
      expect(await other.log.append('accounts.1', bytes('else'))).toBe(1);
      expect(await other.log.append('accounts.0', bytes('4'), { headers: { kind: 'test' } })).toBe(4);
      const read = await other.log.read('accounts.0', 1, 10);
      expect(read.map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
      expect(textsOf(read)).toEqual(['accounts.0 2', 'accounts.0 3', '4']);
      expect(read[2].headers).toEqual({ kind: 'test' });
      expect((await other.log.read('accounts.0', 0, 2)).map(({ sequence }) => sequence)).toEqual([1, 2]);
      expect(await other.log.read('accounts.0', 4, 10)).toEqual([]);
      expect(await one.log.extent('accounts.0')).toEqual({ first: 1, last: 4 });
    });

    test('an entry that is sent again under its id is there once, whoever sends it', async () => {
      expect(await one.log.append('marks', bytes('a'), { id: 'x1' })).toBe(1);
      expect(await one.log.append('marks', bytes('b'), { id: 'x2' })).toBe(2);
      expect(await other.log.append('marks', bytes('a'), { id: 'x1' })).toBe(1);
      const read = await one.log.read('marks', 0, 10);
      expect([textsOf(read), read.map(({ id }) => id)]).toEqual([
        ['a', 'b'],
        ['x1', 'x2'],
      ]);
    });

    test('whoever does not know the newest entry appends nothing where it has to: the fence of a shard', async () => {
      expect(await one.log.append('journal.0', bytes('1'), { expected: 0 })).toBe(1);
      expect(await other.log.append('journal.0', bytes('2'), { expected: 1 })).toBe(2);
      for (const expected of [0, 1, 3])
        await expect(one.log.append('journal.0', bytes('stale'), { expected })).rejects.toMatchObject({
          code: 'SHARD_LOST',
        });
      expect(textsOf(await one.log.read('journal.0', 0, 10))).toEqual(['1', '2']);
    });

    test('of many that race for the next place one gets it', async () => {
      for (let round = 0; round < 10; round++) {
        const racing = Array.from({ length: 6 }, (_, i) =>
          [one, other][i % 2].log.append('journal.1', bytes(`${i}`), { expected: round }),
        );
        const results = await Promise.allSettled(racing);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      }
      expect((await one.log.extent('journal.1')).last).toBe(10);
    });

    test('what is forgotten is not read, and its sequences do not come again', async () => {
      await fill('snapshots.0', 5);
      await one.log.forget('snapshots.0', 3);
      expect(await other.log.extent('snapshots.0')).toEqual({ first: 4, last: 5 });
      expect((await other.log.read('snapshots.0', 0, 10)).map(({ sequence }) => sequence)).toEqual([4, 5]);
      await one.log.forget('snapshots.0', 2);
      await one.log.forget('snapshots.0', 99);
      expect(await other.log.extent('snapshots.0')).toEqual({ first: 6, last: 5 });
      expect(await one.log.append('snapshots.0', bytes('6'), { expected: 5 })).toBe(6);
    });

    test('a follower gets what is there and what comes, in order, each once, and nothing after its stop', async () => {
      await fill('accounts.0', 30);
      const seen: number[] = [];
      const failures: unknown[] = [];
      let inside = 0;
      const following = other.log.follow(
        'accounts.0',
        5,
        async (entries) => {
          expect(++inside).toBe(1);
          await wait(1);
          seen.push(...entries.map(({ sequence }) => sequence));
          inside--;
        },
        (error) => failures.push(error),
      );
      const senders = [one, other].map(async ({ log }) => {
        for (let i = 0; i < 60; i++) await log.append('accounts.0', bytes(`${i}`));
      });
      await Promise.all(senders);
      while (seen.length < 145) await wait(2);
      await following.stop();
      await one.log.append('accounts.0', bytes('late'));
      await wait(20);
      expect(seen).toEqual(Array.from({ length: 145 }, (_, i) => i + 6));
      expect(failures).toEqual([]);
    });

    test('a follower whose receiver throws says so once and hands over nothing more', async () => {
      await fill('prices', 3);
      const failures: string[] = [];
      const failed = Promise.withResolvers<void>();
      const following = one.log.follow(
        'prices',
        0,
        async () => {
          throw new Error('the disk is full');
        },
        (error) => {
          failures.push(error.message);
          failed.resolve();
        },
      );
      await failed.promise;
      await fill('prices', 2);
      await following.stop();
      expect(failures).toEqual([expect.stringContaining('the disk is full')]);
    });

    test('keeps how many partitions there are: another number is refused, none takes what there is', async () => {
      const same = await place.open(null);
      expect(same.partitions).toBe(2);
      await same.close();
      await expect(place.open(3)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('2 partitions, not 3'),
      });
    });

    test('a lease has one holder, until it is let go of', async () => {
      const lease = await one.leases.take('shard.0', 'a');
      expect(lease).not.toBeNull();
      expect(await other.leases.take('shard.0', 'b')).toBeNull();
      expect(await one.leases.take('shard.0', 'a')).toBeNull();
      const seen = await other.leases.holder('shard.0');
      expect(seen?.holder).toBe('a');
      expect(await lease?.renew()).toBe(true);
      const later = await other.leases.holder('shard.0');
      expect(later?.beat).toBeGreaterThan(seen?.beat ?? 0);
      expect(await other.leases.holder('shard.1')).toBeNull();
      await lease?.release();
      expect(await other.leases.holder('shard.0')).toBeNull();
      const next = await other.leases.take('shard.0', 'b');
      expect(next).not.toBeNull();
      expect(await lease?.renew()).toBe(false);
      await lease?.release();
      expect((await one.leases.holder('shard.0'))?.holder).toBe('b');
    });

    test('a lease that is not renewed is free, and its holder is told so', async () => {
      const lease = await one.leases.take('shard.0', 'a');
      await place.pass(one.leases.milliseconds * 0.5);
      expect(await lease?.renew()).toBe(true);
      await place.pass(one.leases.milliseconds * 0.7);
      expect(await other.leases.take('shard.0', 'b')).toBeNull();
      await place.pass(one.leases.milliseconds * 0.8);
      let next = await other.leases.take('shard.0', 'b');
      while (next === null) {
        await wait(20);
        next = await other.leases.take('shard.0', 'b');
      }
      expect(await lease?.renew()).toBe(false);
    });

    test('a question is answered by whoever answers for its partition, however large the answer', async () => {
      const answering = await one.questions.answer(1, async (question) => {
        const size = Number(new TextDecoder().decode(question));
        return Uint8Array.from({ length: size }, (_, i) => (i * 7) % 251);
      });
      for (const size of [0, 1, 1000, 1_500_000, 9_000_001]) {
        const answer = await other.questions.ask(1, bytes(String(size)), 5000);
        expect(answer).toHaveLength(size);
        expect(answer.every((byte, i) => byte === (i * 7) % 251)).toBe(true);
      }
      const many = Array.from({ length: 50 }, (_, i) => other.questions.ask(1, bytes(String(i)), 5000));
      expect((await Promise.all(many)).map(({ length }) => length)).toEqual(many.map((_, i) => i));
      await answering.stop();
    });

    test('where nobody answers, or says nothing, it is said; of two the one that speaks is heard', async () => {
      const unanswered = () =>
        expect(other.questions.ask(0, bytes('?'), 300)).rejects.toMatchObject({ code: 'SHARD_NOT_HELD' });
      await unanswered();
      const silent = await one.questions.answer(0, async () => null);
      await unanswered();
      const late = await one.questions.answer(0, () => new Promise(() => undefined));
      await unanswered();
      const speaking = await other.questions.answer(0, async () => bytes('here'));
      expect(new TextDecoder().decode(await one.questions.ask(0, bytes('?'), 5000))).toBe('here');
      await speaking.stop();
      await unanswered();
      await Promise.all([silent.stop(), late.stop()]);
    });
  });
}
