import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { schemaErrors } from '../crds/manifests.ts';
import type { Schema } from '../crds/schema.ts';
import {
  chartDigest,
  chartPath,
  charts,
  digestLine,
  everythingPath,
  renderedPath,
  renderedWithEverythingPath,
} from './rendered.ts';

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
const manifestsOf = <T = Manifest>(yaml: string): readonly T[] =>
  parseAllDocuments(yaml).flatMap((document) => {
    const value = document.toJS() as T | null;
    return value === null ? [] : [value];
  });
const manifests = (chart: string): readonly Manifest[] => manifestsOf(text(chart));
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
    it(`${chart}: says after the installation which values mean nothing, and none of its own`, () => {
      const notes = readFileSync(join(chartPath(chart), 'templates/NOTES.txt'), 'utf8');
      const known = /\$known := list ([^}]*) \}\}/.exec(notes)![1]!;
      expect(known.replaceAll('"', '').split(' ')).to.have.members(Object.keys(values));
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

describe('the charts with what is off by default', () => {
  interface AnyManifest {
    readonly kind: string;
    readonly metadata: {
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: Readonly<Record<string, unknown>>;
    readonly data: Readonly<Record<string, string>>;
  }
  const everything = (chart: string): string => readFileSync(renderedWithEverythingPath(chart), 'utf8');
  const all = (chart: string): readonly AnyManifest[] => manifestsOf(everything(chart));
  const of = (chart: string, kind: string): AnyManifest => all(chart).find((each) => each.kind === kind)!;
  const podOfEverything = (chart: string, kind: string) => podOf(of(chart, kind) as unknown as Manifest);
  const matchLabels = (selector: unknown) =>
    (selector as { matchLabels: Readonly<Record<string, string>> }).matchLabels;
  const withEverything = ['control-plane', 'cni', 'ztunnel'] as const;
  const controllers = { 'control-plane': 'Deployment', cni: 'DaemonSet', ztunnel: 'DaemonSet' } as const;

  for (const chart of ['base', ...withEverything])
    it(`${chart}: what is rendered is of the chart as it is`, () => {
      expect(everything(chart).split('\n')[0], 'run npm run generate:charts').to.equal(
        digestLine(chartDigest(chart)),
      );
    });

  for (const chart of withEverything) {
    it(`${chart}: its schema takes these values`, () => {
      const schema = JSON.parse(readFileSync(join(chartPath(chart), 'values.schema.json'), 'utf8')) as Schema;
      const values = parse(readFileSync(everythingPath(chart), 'utf8')) as object;
      expect(schemaErrors(schema, values)).to.deep.equal([]);
    });

    it(`${chart}: a NetworkPolicy for its pods, with the ports that it serves`, () => {
      const { spec } = of(chart, 'NetworkPolicy');
      const { metadata } = (of(chart, controllers[chart]) as unknown as Manifest).spec!.template;
      expect(metadata.labels).to.include(matchLabels(spec['podSelector']));
      const ports = (spec['ingress'] as { ports: { port: number }[] }[]).flatMap((rule) =>
        rule.ports.map(({ port }) => port),
      );
      expect(ports).to.have.members(
        {
          'control-plane': [8080, 15012, 15014, 15017],
          cni: [8000, 15014],
          ztunnel: [15008, 15020, 15021],
        }[chart],
      );
      expect(spec['egress']).to.deep.equal([{}]);
    });

    it(`${chart}: a monitor that finds its pods and a port of theirs`, () => {
      const monitor = of(chart, chart === 'control-plane' ? 'ServiceMonitor' : 'PodMonitor');
      const found = chart === 'control-plane' ? of(chart, 'Service') : undefined;
      const labels =
        found?.metadata.labels ??
        (of(chart, controllers[chart]) as unknown as Manifest).spec!.template.metadata.labels;
      expect(labels).to.include(matchLabels(monitor.spec['selector']));
      const [endpoint] = (monitor.spec['endpoints'] ?? monitor.spec['podMetricsEndpoints']) as [
        Readonly<Record<string, string>>,
      ];
      expect(endpoint).to.include({ path: '/metrics', interval: '15s' });
      const ports =
        found?.spec['ports'] ?? (podOfEverything(chart, 'DaemonSet').containers[0] as never)['ports'];
      expect((ports as { name: string }[]).map(({ name }) => name)).to.include(endpoint['port']);
    });
  }

  it('base: the webhook of a revision leads to the Service of that revision', () => {
    const webhook = all('base').find(({ kind }) => kind === 'ValidatingWebhookConfiguration') as unknown as {
      readonly metadata: { readonly name: string };
      readonly webhooks: readonly {
        readonly clientConfig: { readonly service: { readonly name: string } };
      }[];
    };
    expect(webhook.metadata.name).to.equal('istio-validator-canary-istio-system');
    expect(webhook.webhooks[0]!.clientConfig.service.name).to.equal(
      of('control-plane', 'Service').metadata.name,
    );
  });

  it('a quota of the priority class that the pods have', () => {
    for (const [chart, pods, priorityClass] of [
      ['cni', '300', 'system-node-critical'],
      ['ztunnel', '5000', 'node-critical'],
    ] as const) {
      const { spec } = of(chart, 'ResourceQuota');
      expect(spec).to.deep.equal({
        hard: { pods },
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: [priorityClass] }],
        },
      });
      expect(podOfEverything(chart, 'DaemonSet').priorityClassName).to.equal(priorityClass);
    }
  });

  it("cni: a platform's places, but where a value says another, and its SELinux type", () => {
    const { volumes, containers } = podOfEverything('cni', 'DaemonSet');
    const places = new Map(volumes.map((volume) => [volume['name'], volume['hostPath']]));
    expect(places.get('cni-bin-dir')).to.deep.equal({ path: '/usr/libexec/cni' });
    expect(places.get('cni-net-dir')).to.deep.equal({ path: '/etc/cni/multus/net.d' });
    expect(containers[0]!.securityContext['seLinuxOptions']).to.deep.equal({ type: 'spc_t' });
    expect(of('cni', 'ConfigMap').data['LOG_LEVEL']).to.equal('debug,cni=trace');
  });

  it('ztunnel: a name of its own for everything', () => {
    for (const { metadata } of all('ztunnel'))
      expect(metadata.name).to.match(/^node-proxy(-resource-quota)?$/);
  });

  it('control-plane: no budget, no ConfigMap; memory, address families and further variables', () => {
    const kinds = all('control-plane').map(({ kind }) => kind);
    expect(kinds).to.have.members([
      'NetworkPolicy',
      'Service',
      'Deployment',
      'HorizontalPodAutoscaler',
      'ServiceMonitor',
    ]);
    const autoscaler = of('control-plane', 'HorizontalPodAutoscaler').spec;
    expect(
      (autoscaler['metrics'] as { resource: { name: string } }[]).map(({ resource }) => resource.name),
    ).to.deep.equal(['cpu', 'memory']);
    expect(autoscaler['behavior']).to.deep.equal({ scaleDown: { stabilizationWindowSeconds: 600 } });
    expect(of('control-plane', 'Service').spec).to.deep.include({
      ipFamilyPolicy: 'PreferDualStack',
      ipFamilies: ['IPv6', 'IPv4'],
    });
    const deployment = of('control-plane', 'Deployment');
    expect(deployment.metadata.annotations).to.deep.equal({ 'example.com/owner': 'mesh' });
    const pod = podOfEverything('control-plane', 'Deployment');
    expect(pod).to.deep.include({
      priorityClassName: 'system-cluster-critical',
      initContainers: [{ name: 'wait', image: 'registry.example/wait:1' }],
    });
    const [{ env, securityContext }] = pod.containers as [Container];
    expect(securityContext['seccompProfile']).to.deep.equal({ type: 'RuntimeDefault' });
    for (const [name, value] of [
      ['CLUSTER_DOMAIN', 'cluster.example'],
      ['CA_TRUSTED_NODE_ACCOUNTS', 'mesh-nodes/ztunnel'],
      ['LOG_LEVEL', 'info,xds=debug'],
      ['REVISION', 'canary'],
    ])
      expect(env).to.deep.include({ name, value });
    expect(env).to.deep.include({
      name: 'CA_ROOT_OVERLAP',
      valueFrom: { configMapKeyRef: { name: 'overlap', key: 'hours' } },
    });
  });
});
