import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD_MICROSECONDS = 20_000;

/** Holds processes to a share of a core each, by control groups of either version; as root only. */
export class CoreShare {
  readonly #share: number;
  readonly #root = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup'].find((folder) =>
    existsSync(join(folder, 'cgroup.procs')),
  );
  readonly #groups: string[] = [];

  constructor(share: number) {
    this.#share = share;
  }

  /** @returns false where that cannot be done: then the process has what it gets. */
  hold(pid: number | undefined): boolean {
    if (this.#root === undefined || pid === undefined || process.getuid?.() !== 0) return false;
    const group = join(this.#root, `plimsoll-${process.pid}-${pid}`);
    mkdirSync(group);
    this.#groups.push(group);
    const quota = Math.round(this.#share * PERIOD_MICROSECONDS);
    if (existsSync(join(group, 'cpu.max')))
      writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD_MICROSECONDS}`);
    else {
      writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_MICROSECONDS));
      writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quota));
    }
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    return true;
  }

  /** Once the processes have ended. */
  close(): void {
    for (const group of this.#groups.splice(0)) rmdirSync(group);
  }
}
