import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { schemaErrors } from '../crds/manifests.ts';
import type { Schema } from '../crds/schema.ts';
import { chartDigest, chartPath, charts, digestLine, renderedPath } from './rendered.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
interface Container {
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly rules?: readonly Rule[];
  readonly spec?: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly hostNetwork?: boolean;
        readonly hostPID?: boolean;
        readonly priorityClassName?: string;
        readonly terminationGracePeriodSeconds?: number;
        readonly containers: readonly Container[];
        readonly volumes: readonly Readonly<Record<string, unknown>>[];
      };
    };
    readonly updateStrategy?: { readonly rollingUpdate: Readonly<Record<string, unknown>> };
  };
}

const text = (chart: string): string => readFileSync(renderedPath(chart), 'utf8');
const manifests = (chart: string): readonly Manifest[] =>
  parseAllDocuments(text(chart)).flatMap((document) => {
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
const one = (chart: string, kind: string): Manifest => manifests(chart).find((each) => each.kind === kind)!;
const podOf = (manifest: Manifest) => manifest.spec!.template.spec;

describe('the charts', () => {
  for (const chart of charts)
    it(`${chart}: what is rendered is of the chart as it is`, () => {
      expect(text(chart).split('\n')[0], 'run npm run generate:charts').to.equal(
        digestLine(chartDigest(chart)),
      );
    });

  for (const chart of ['ztunnel', 'cni', 'control-plane'] as const) {
    const schema = JSON.parse(readFileSync(join(chartPath(chart), 'values.schema.json'), 'utf8')) as Schema;
    const values = parse(readFileSync(join(chartPath(chart), 'values.yaml'), 'utf8')) as Record<
      string,
      unknown
    >;
    it(`${chart}: its schema takes its values and describes each`, () => {
      expect(schemaErrors(schema, values)).to.deep.equal([]);
      expect(Object.keys(schema.properties ?? {})).to.have.members(Object.keys(values));
    });
    it(`${chart}: its schema refuses a wrong value by name`, () => {
      expect(schemaErrors(schema, { ...values, podLabels: 'a=b' }).join()).to.contain('podLabels');
    });
    it(`${chart}: no token is mounted, and no privilege is given, that its rules do not name`, () => {
      for (const manifest of manifests(chart)) {
        for (const { verbs, resources } of manifest.rules ?? [])
          for (const word of [...verbs, ...resources]) expect(word).not.to.equal('*');
        for (const { securityContext } of manifest.spec?.template === undefined
          ? []
          : podOf(manifest).containers) {
          expect(securityContext['privileged'] ?? false).to.equal(false);
          expect((securityContext['capabilities'] as { drop: string[] }).drop).to.deep.equal(['ALL']);
        }
      }
    });
  }

  it('ztunnel has three capabilities, a file system to read, and nothing to ask of the API', () => {
    const set = one('ztunnel', 'DaemonSet');
    const [{ securityContext, readinessProbe, env }] = podOf(set).containers as [Container];
    expect(securityContext).to.deep.include({ runAsUser: 0, runAsGroup: 1337, readOnlyRootFilesystem: true });
    expect((securityContext['capabilities'] as { add: string[] }).add).to.have.members([
      'NET_ADMIN',
      'SYS_ADMIN',
      'NET_RAW',
    ]);
    expect(readinessProbe.httpGet).to.deep.equal({ path: '/healthz/ready', port: 15021 });
    expect(env).to.deep.include({ name: 'TERMINATION_GRACE_PERIOD_SECONDS', value: '30' });
    expect(set.spec!.updateStrategy!.rollingUpdate).to.deep.equal({ maxSurge: 1, maxUnavailable: 0 });
    expect(podOf(set).priorityClassName).to.equal('system-node-critical');
    expect(manifests('ztunnel').map(({ kind }) => kind)).to.have.members(['ServiceAccount', 'DaemonSet']);
    expect(JSON.stringify(podOf(set).volumes)).to.contain('"expirationSeconds":43200,"audience":"istio-ca"');
  });

  it('ztunnel is told of its CPU request in CPUs, by which it counts its workers', () => {
    const [{ env }] = podOf(one('ztunnel', 'DaemonSet')).containers as [Container];
    expect(env).to.deep.include({
      name: 'ZTUNNEL_RESOURCE_CPU_REQUEST',
      valueFrom: { resourceFieldRef: { resource: 'requests.cpu' } },
    });
  });

  it('cni has the mounts and capabilities of its work, and not the network of the node', () => {
    const pod = podOf(one('cni', 'DaemonSet'));
    const [{ securityContext, volumeMounts }] = pod.containers as [Container];
    expect((securityContext['capabilities'] as { add: string[] }).add).to.have.members([
      'NET_ADMIN',
      'NET_RAW',
      'SYS_PTRACE',
      'SYS_ADMIN',
      'DAC_OVERRIDE',
    ]);
    expect(volumeMounts.map(({ mountPath }) => mountPath)).to.have.members([
      '/host/opt/cni/bin',
      '/host/etc/cni/net.d',
      '/host/proc',
      '/host/proc/sys/net',
      '/var/run/istio-cni',
      '/host/var/run/netns',
      '/var/run/ztunnel',
    ]);
    expect(pod.hostNetwork ?? false).to.equal(false);
    expect(pod.hostPID ?? false).to.equal(false);
    const { data } = one('cni', 'ConfigMap');
    expect(data).to.deep.include({ AMBIENT_ENABLED: 'true', EXCLUDE_NAMESPACES: 'kube-system' });
    expect(parse(data!['AMBIENT_ENABLEMENT_SELECTOR']!)).to.have.length(2);
  });

  it('control-plane is no root and has no capability', () => {
    const [{ securityContext, env }] = podOf(one('control-plane', 'Deployment')).containers as [Container];
    expect(securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 1337,
      runAsGroup: 1337,
      capabilities: { drop: ['ALL'] },
    });
    expect(env).to.deep.include({ name: 'CA_TRUSTED_NODE_ACCOUNTS', value: 'istio-system/ztunnel' });
  });

  it('every account that a pod runs as is made by a chart', () => {
    const all = charts.flatMap(manifests);
    const accounts = all.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
    for (const { kind, spec } of all)
      if (kind === 'Deployment' || kind === 'DaemonSet')
        expect(accounts).to.include(spec!.template.spec.serviceAccountName);
  });
});
