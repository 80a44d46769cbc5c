import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { CronJob } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, PersistentVolumeClaim, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { FILE_VARIABLES, SETTINGS } from '../src/config.ts';
import { ROUTES } from '../src/http/routes.ts';
import { ROOT, textOf } from './repository.ts';

/** What an API server would refuse, and what it would take and nobody would want. */
const FOLDER = 'ops/kubernetes';
const KINDS = {
  ...{ ConfigMap, CronJob, Deployment, Namespace, NetworkPolicy, PersistentVolumeClaim },
  ...{ PodDisruptionBudget, Service, ServiceMonitor, StatefulSet },
};

type Labels = Readonly<Record<string, string>>;
interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { name: string; valueFrom?: { secretKeyRef?: Readonly<Record<string, string>> } }[];
  readonly envFrom?: readonly { configMapRef: { name: string } }[];
  readonly ports?: readonly { name: string; containerPort: number }[];
  readonly volumeMounts: readonly { name: string }[];
  readonly resources: { readonly requests?: object; readonly limits?: object };
  readonly securityContext: object;
  readonly [probe: `${string}Probe`]: { httpGet: { path: string; port: string } };
}
interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes: readonly { name: string; secret?: { secretName: string } }[];
    readonly securityContext: object;
    readonly automountServiceAccountToken: boolean;
  };
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof typeof KINDS;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  // biome-ignore lint/suspicious/noExplicitAny: as many shapes as kinds; each is held to its schema below
  readonly spec: any;
  readonly data?: Readonly<Record<string, string>>;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { name: string }[];
  readonly patches: readonly { target: { kind: string; name: string }; patch: string }[];
}
const kustomizationOf = (folder: string) => parse(textOf(`${folder}/kustomization.yaml`)) as Kustomization;
const FOLDERS = [FOLDER, `${FOLDER}/streams`];
const kustomization = kustomizationOf(FOLDER);
const manifests = FOLDERS.flatMap((folder) =>
  kustomizationOf(folder).resources.flatMap((file) =>
    parseAllDocuments(textOf(`${folder}/${file}`)).map((document) => document.toJS() as Manifest),
  ),
);
const named = manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const);
const ofKind = (kind: Manifest['kind']): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);

const pods = manifests.flatMap(({ kind, metadata, spec }): [string, PodTemplate][] => {
  const template = kind === 'CronJob' ? spec.jobTemplate.spec.template : spec?.template;
  return template === undefined ? [] : [[metadata.name, template]];
});
const containers = pods.flatMap(([name, { spec }]) =>
  [...spec.containers, ...(spec.initContainers ?? [])].map(
    (container) => [`${name} ${container.name}`, container] as const,
  ),
);
const matches = (selector: Labels | undefined, labels: Labels): boolean =>
  Object.entries(selector ?? {}).every(([name, value]) => labels[name] === value);

describe('the manifests', () => {
  test('are all in the kustomization', () => {
    for (const folder of FOLDERS) {
      const files = readdirSync(join(ROOT, folder)).filter(
        (file) => file.endsWith('.yaml') && file !== 'kustomization.yaml',
      );
      expect(files.toSorted()).toEqual(kustomizationOf(folder).resources.toSorted());
    }
  });

  test.each(named)('%s is as the schema of its kind asks', (_, manifest) => {
    const Kind = KINDS[manifest.kind];
    const checked = new Kind(manifest as never);
    expect(() => checked.validate()).not.toThrow();
    expect([checked.apiVersion, checked.kind]).toEqual([manifest.apiVersion, manifest.kind]);
  });

  test('have no field that their kind does not know', () => {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-manifests-'));
    const modules = join(ROOT, 'node_modules');
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2024', strict: true, noEmit: true, skipLibCheck: true, types: [] },
      paths: { '*': [join(modules, '*'), join(modules, '*/index.d.ts')] },
    };
    // Of what is written out, the compiler refuses fields that its type does not have.
    const lines = manifests.map((manifest, i) => {
      const home =
        manifest.kind === 'ServiceMonitor' ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
      const kind = `import('${home}/${manifest.apiVersion}').I${manifest.kind}`;
      return `export const manifest${i}: ${kind} = ${JSON.stringify(manifest)};`;
    });
    writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['manifests.ts'] }),
    );
    const { stdout, status } = spawnSync(
      process.execPath,
      [join(modules, 'typescript/bin/tsc'), '-p', folder],
      {
        encoding: 'utf8',
      },
    );
    rmSync(folder, { recursive: true });
    expect([stdout, status]).toEqual(['', 0]);
  });

  test('choose pods that are there: each service, budget, network policy and set finds its own', () => {
    const found = (selector: Labels): string[] =>
      pods.filter(([, { metadata }]) => matches(selector, metadata.labels)).map(([name]) => name);
    for (const { metadata, spec } of ofKind('Service'))
      expect([metadata.name, found(spec.selector)]).toEqual([metadata.name, [expect.any(String)]]);
    for (const { metadata, spec } of [
      ...ofKind('PodDisruptionBudget'),
      ...ofKind('Deployment'),
      ...ofKind('StatefulSet'),
    ])
      expect(found(spec.selector.matchLabels)).toEqual([metadata.name]);
    for (const { metadata, spec } of ofKind('NetworkPolicy'))
      expect([metadata.name, found(spec.podSelector.matchLabels ?? {}).length]).not.toEqual([
        metadata.name,
        0,
      ]);
    for (const { spec } of ofKind('StatefulSet'))
      expect(ofKind('Service').map(({ metadata }) => metadata.name)).toContain(spec.serviceName);
  });

  test('leave no pod of more than one replica without a budget, and no budget that a node could never be drained with', () => {
    const several = [...ofKind('Deployment'), ...ofKind('StatefulSet')].filter(
      ({ spec }) => spec.replicas > 1,
    );
    expect(several.length).toBeGreaterThan(1);
    for (const { metadata, spec } of several) {
      const budget = ofKind('PodDisruptionBudget').find((one) => one.metadata.name === metadata.name);
      const leftOver = budget?.spec.maxUnavailable ?? spec.replicas - budget?.spec.minAvailable;
      expect([metadata.name, leftOver]).toEqual([metadata.name, expect.any(Number)]);
      expect(leftOver).toBeGreaterThan(0);
    }
  });
});

describe('the component of the streams', () => {
  test('gives NATS to whoever decides and whoever answers, as whoever keeps accounts has it', () => {
    const { patches } = kustomizationOf(`${FOLDER}/streams`);
    // A reader without it would grant what an account cannot carry.
    expect(patches.map(({ target }) => `${target.kind} ${target.name}`)).toEqual([
      'StatefulSet decide',
      'Deployment serve',
    ]);
    for (const { target, patch } of patches) {
      expect(named.map(([name]) => name)).toContain(`${target.kind} ${target.name}`);
      const [{ op, path, value }] = parse(patch) as { op: string; path: string; value: { name: string } }[];
      expect([op, path]).toEqual(['add', '/spec/template/spec/containers/0/env/-']);
      const accounts = pods.find(([name]) => name === 'accounts')?.[1].spec.containers[0];
      expect(accounts?.env).toContainEqual(value);
    }
  });
});

describe('the containers', () => {
  const known: string[] = [
    ...Object.values(SETTINGS).map(({ variable }) => variable),
    ...Object.values(FILE_VARIABLES),
  ];

  test('are given only settings that the program knows: it refuses to start with others', () => {
    const given = [
      ...containers.flatMap(([, { env = [] }]) => env.map(({ name }) => name)),
      ...ofKind('ConfigMap').flatMap(({ data }) => Object.keys(data ?? {})),
    ];
    expect(given.length).toBeGreaterThan(8);
    expect(given.filter((name) => !known.includes(name))).toEqual([]);
    for (const [, { envFrom = [] }] of containers)
      for (const { configMapRef } of envFrom)
        expect(ofKind('ConfigMap').map(({ metadata }) => metadata.name)).toContain(configMapRef.name);
  });

  test('have their secrets from secrets that the page on scaling says how to make', () => {
    const page = textOf('docs/scaling.md');
    const keys = containers.flatMap(([, { env = [] }]) =>
      env.flatMap(({ valueFrom }) => (valueFrom?.secretKeyRef === undefined ? [] : [valueFrom.secretKeyRef])),
    );
    const scraped = ofKind('ServiceMonitor').flatMap(
      ({ spec }) => spec.endpoints[0].authorization.credentials,
    );
    expect(keys.length).toBeGreaterThan(3);
    for (const { name, key } of [...keys, ...scraped])
      expect(page).toMatch(new RegExp(`create secret generic ${name}\\b[^;]*?--from-literal=${key}=`));
    const folders = pods.flatMap(([, { spec }]) => spec.volumes.flatMap(({ secret }) => secret ?? []));
    for (const { secretName } of folders)
      expect(page).toMatch(new RegExp(`create secret generic ${secretName}\\b[^;]*?--from-file=`));
    for (const [variable, { isSecret }] of Object.values(SETTINGS).map((one) => [one.variable, one] as const))
      if (isSecret) for (const { data } of ofKind('ConfigMap')) expect(data).not.toHaveProperty(variable);
  });

  test('write nowhere but on their volumes, as nobody in particular, with what they need of a node stated', () => {
    for (const [name, container] of containers) {
      expect([name, container.securityContext]).toEqual([
        name,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      ]);
      expect([name, container.resources]).toEqual([
        name,
        {
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { memory: expect.any(String) },
        },
      ]);
      expect(kustomization.images.map((image) => image.name)).toContain(container.image);
    }
    for (const [name, { spec }] of pods) {
      expect([name, spec.automountServiceAccountToken]).toEqual([name, false]);
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 });
      const claims: { metadata: { name: string } }[] =
        ofKind('StatefulSet').find(({ metadata }) => metadata.name === name)?.spec.volumeClaimTemplates ?? [];
      const volumes = [
        ...spec.volumes.map((volume) => volume.name),
        ...claims.map(({ metadata }) => metadata.name),
      ];
      for (const { volumeMounts } of [...spec.containers, ...(spec.initContainers ?? [])])
        expect(volumes).toEqual(expect.arrayContaining(volumeMounts.map((mount) => mount.name)));
    }
  });

  test('are probed where the program answers, on the port that it is told to listen on', () => {
    const { PLIMSOLL_PORT } = ofKind('ConfigMap')[0].data ?? {};
    const served = containers.filter(([, { args }]) => args?.[0] === 'serve');
    expect(served.length).toBeGreaterThan(1);
    for (const [, container] of served) {
      expect(container.ports).toEqual([{ name: 'http', containerPort: Number(PLIMSOLL_PORT) }]);
      for (const [probe, path] of [
        ['startup', '/livez'],
        ['liveness', '/livez'],
        ['readiness', '/readyz'],
      ] as const) {
        expect(container[`${probe}Probe`].httpGet).toEqual({ path, port: 'http' });
        expect(ROUTES.map((route) => route.path)).toContain(path);
      }
    }
  });

  test('have the time to drain that they ask for', () => {
    const drainSeconds = Number(ofKind('ConfigMap')[0].data?.PLIMSOLL_DRAIN_SECONDS);
    for (const { spec } of [...ofKind('Deployment'), ...ofKind('StatefulSet')])
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds + 20);
  });
});
