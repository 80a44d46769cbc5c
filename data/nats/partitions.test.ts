import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { partitionOf } from '../../src/control/streams/partition.ts';
import { NATS_SERVER, OwnNats, SKIPPED } from './test-server.ts';

if (NATS_SERVER === null) process.stderr.write(`${SKIPPED}\n`);

test.skipIf(NATS_SERVER === null)(
  'the partition function of the server gives accounts the partitions that they have here',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-mapping-'));
    const path = join(folder, 'nats.conf');
    writeFileSync(path, 'mappings = { "accounts.*": "plimsoll.accounts.{{partition(7,1)}}" }\n');
    const server = await OwnNats.start(['-c', path]);
    const nats = await connect({ servers: server.url });
    const messages = nats.subscribe('plimsoll.accounts.*');
    const ids = Array.from({ length: 200 }, (_, i) => `user:${i * 7919}-x_${i}`);
    for (const id of ids) nats.publish(`accounts.${id}`);
    const seen: number[] = [];
    for await (const { subject } of messages) {
      seen.push(Number(subject.split('.')[2]));
      if (seen.length === ids.length) break;
    }
    await nats.close();
    await server.stop();
    rmSync(folder, { recursive: true });
    expect(seen).toEqual(ids.map((id) => partitionOf(id, 7)));
    expect(new Set(seen).size).toBe(7);
  },
);
