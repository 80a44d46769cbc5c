import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FILE_VARIABLES, SETTINGS } from '../src/config.ts';
import { ROOT, textOf } from './repository.ts';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly security_opt?: readonly string[];
  readonly restart?: string;
}

const composition = parse(textOf('ops/compose.yaml')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, unknown>>;
};
const services = Object.entries(composition.services);

describe('the composition', () => {
  test('has the service, what watches it, and what more machines need', () => {
    expect(Object.keys(composition.services)).toEqual([
      'plimsoll',
      'prometheus',
      'grafana',
      'reader',
      'postgres',
      'nats',
    ]);
  });

  test('gives the service only settings that it knows: it refuses to start with others', () => {
    const known: string[] = [
      ...Object.values(SETTINGS).map(({ variable }) => variable),
      ...Object.values(FILE_VARIABLES),
    ];
    for (const { environment } of [composition.services.plimsoll, composition.services.reader])
      expect(Object.keys(environment ?? {}).filter((variable) => !known.includes(variable))).toEqual([]);
  });

  test('is reached from this machine alone, and holds no secret', () => {
    for (const [name, { ports = [], environment = {} }] of services) {
      expect([name, ports.filter((port) => !port.startsWith('127.0.0.1:'))]).toEqual([name, []]);
      for (const [variable, value] of Object.entries(environment))
        if (/KEY|PASSWORD|SECRET|DATABASE_URL/.test(variable))
          expect([variable, value]).toEqual([variable, expect.stringMatching(/^\$\{\w+:/)]);
    }
  });

  test('mounts folders that are there, volumes and secrets that are declared, and waits for what has a health', () => {
    for (const [name, { volumes = [], secrets = [], depends_on = {} }] of services) {
      for (const source of volumes.map((volume) => volume.split(':')[0])) {
        const isThere = source.startsWith('.')
          ? existsSync(join(ROOT, 'ops', source))
          : Object.hasOwn(composition.volumes, source);
        expect([name, source, isThere]).toEqual([name, source, true]);
      }
      for (const secret of secrets) expect(composition.secrets).toHaveProperty(secret);
      for (const [other, { condition }] of Object.entries(depends_on))
        if (condition === 'service_healthy')
          expect([other, composition.services[other].healthcheck]).toEqual([other, expect.any(Object)]);
    }
  });

  test('pins every image, gains no privileges and comes up again', () => {
    for (const [name, { image, build, security_opt = [], restart }] of services) {
      if (build === undefined)
        expect([name, image]).toEqual([name, expect.stringMatching(/^[\w/]+:v?\d+[\w.-]*$/)]);
      expect([name, security_opt]).toEqual([name, ['no-new-privileges:true']]);
      expect([name, restart]).toEqual([name, 'unless-stopped']);
    }
  });

  test('is wired: Prometheus scrapes the service with the key it is given, Grafana asks Prometheus and finds the dashboards', () => {
    const { scrape_configs } = parse(textOf('ops/prometheus/prometheus.yml')) as {
      scrape_configs: {
        authorization: { credentials_file: string };
        static_configs: { targets: string[] }[];
      }[];
    };
    expect(scrape_configs[0].static_configs).toEqual([{ targets: ['plimsoll:8080'] }]);
    expect(textOf('Dockerfile')).toContain('PLIMSOLL_PORT=8080');
    const { prometheus, grafana } = composition.services;
    expect(prometheus.secrets?.map((secret) => `/run/secrets/${secret}`)).toEqual([
      scrape_configs[0].authorization.credentials_file,
    ]);
    expect(prometheus.volumes).toContain('./prometheus:/etc/prometheus:ro');
    const source = textOf('ops/grafana/provisioning/datasources/prometheus.yaml');
    expect(source).toContain('url: http://prometheus:9090\n');
    const { providers } = parse(textOf('ops/grafana/provisioning/dashboards/plimsoll.yaml')) as {
      providers: { options: { path: string } }[];
    };
    expect(grafana.volumes).toContain(`./grafana/dashboards:${providers[0].options.path}:ro`);
    expect(grafana.volumes).toContain('./grafana/provisioning:/etc/grafana/provisioning:ro');
    const home = grafana.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? '';
    expect(existsSync(join(ROOT, 'ops/grafana/dashboards', home.split('/').at(-1) ?? ''))).toBe(true);
  });
});
