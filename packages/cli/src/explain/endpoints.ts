import { builtInPath, isRecord } from '@ambient/kube';
import type { EndpointSlice, KubeObject, Pod, Service } from '@ambient/kube';

import type { Cluster } from '../cluster/cluster.ts';
import { CliError } from '../errors.ts';

/** The pod that a question is about. */
export interface SourcePod {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly ips: readonly string[];
  /** Whether the node agent has put redirection into it. */
  readonly captured: boolean;
}

const redirection = 'ambient.istio.io/redirection';

/** @param text `[pod/]NAME[.NAMESPACE]` or `deploy/NAME[.NAMESPACE]`. @throws CliError */
export async function findSource(cluster: Cluster, text: string): Promise<SourcePod> {
  const { kind, name, namespace } = splitName(text, cluster.namespace);
  if (kind === 'deploy' || kind === 'deployment') {
    const pods = await podsOfDeployment(cluster, namespace, name);
    return sourceOf(pods[0]!);
  }
  if (kind !== undefined && kind !== 'pod')
    throw new CliError('USAGE', `${text}: connections begin in pods; name pod/NAME or deploy/NAME`);
  return sourceOf(await getPod(cluster, namespace, name));
}

/**
 * An address with a port, as an application would dial it.
 *
 * @param text `IP[:PORT]`, `[IPv6]:PORT`, `[svc/]NAME[.NAMESPACE][:PORT]` or `pod/NAME[.NAMESPACE][:PORT]`
 * @throws CliError
 */
export async function findDestination(cluster: Cluster, text: string, namespace: string): Promise<string> {
  if (isAddress(text)) return text;
  const [, target = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const { kind, name, namespace: named } = splitName(target, namespace);
  switch (kind) {
    case 'svc':
    case 'service':
    case undefined: {
      const service = await getService(cluster, named, name);
      if (service !== undefined) return addressOfService(cluster, service, port);
      if (kind !== undefined)
        throw new CliError(
          'NOT_FOUND',
          `there is no service ${name} in namespace ${named}; see kubectl get services -A`,
        );
      return addressOfPod(await getPod(cluster, named, name), port, text);
    }
    case 'pod':
      return addressOfPod(await getPod(cluster, named, name), port, text);
    default:
      throw new CliError('USAGE', `${text}: name a service, pod/NAME or IP:PORT`);
  }
}

/** `IP:PORT` or `[IPv6]:PORT`. */
export function isAddress(text: string): boolean {
  return /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(text);
}

function splitName(
  text: string,
  namespace: string,
): { readonly kind: string | undefined; readonly name: string; readonly namespace: string } {
  const match = /^(?:([a-z]+)\/)?([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\..*)?)?)?$/.exec(text);
  if (match === null)
    throw new CliError('USAGE', `${JSON.stringify(text)} is no name; use [KIND/]NAME[.NAMESPACE]`);
  return { kind: match[1], name: match[2]!, namespace: match[3] ?? namespace };
}

function getPod(cluster: Cluster, namespace: string, name: string): Promise<Pod> {
  return cluster.client.request<Pod>({ path: builtInPath('Pod', namespace, name) });
}

async function getService(cluster: Cluster, namespace: string, name: string): Promise<Service | undefined> {
  const { items } = await cluster.client.request<{ items: Service[] }>({
    path: builtInPath('Service', namespace),
    query: { fieldSelector: `metadata.name=${name}` },
  });
  return items[0];
}

async function podsOfDeployment(cluster: Cluster, namespace: string, name: string): Promise<Pod[]> {
  const deployment = await cluster.client.request<KubeObject>({
    path: builtInPath('Deployment', namespace, name),
  });
  const selector = isRecord(deployment.spec) ? deployment.spec['selector'] : undefined;
  const labels = isRecord(selector) && isRecord(selector['matchLabels']) ? selector['matchLabels'] : {};
  const { items } = await cluster.client.request<{ items: Pod[] }>({
    path: builtInPath('Pod', namespace),
    query: {
      labelSelector: Object.entries(labels)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(','),
    },
  });
  const running = items.filter(({ status }) => status?.phase === 'Running');
  if (running.length === 0)
    throw new CliError(
      'NOT_FOUND',
      `no pod of deployment ${name} in namespace ${namespace} runs; see kubectl get pods`,
    );
  return running;
}

function sourceOf(pod: Pod): SourcePod {
  const { name, namespace = '', annotations } = pod.metadata;
  const node = pod.spec?.nodeName;
  if (node === undefined)
    throw new CliError('NOT_FOUND', `pod ${name} has no node yet; see kubectl describe pod ${name}`);
  return { name, namespace, node, ips: ipsOf(pod), captured: annotations?.[redirection] === 'enabled' };
}

function ipsOf({ status }: Pod): string[] {
  const all = (status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  return all.length > 0 || status?.podIP === undefined ? all : [status.podIP];
}

function addressOfPod(pod: Pod, port: string | undefined, text: string): string {
  const chosen = port ?? pod.spec?.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  const ip = ipsOf(pod)[0];
  if (ip === undefined) throw new CliError('NOT_FOUND', `pod ${pod.metadata.name} has no address yet`);
  if (chosen === undefined)
    throw new CliError('USAGE', `pod ${pod.metadata.name} names no port; give one, as in ${text}:8080`);
  return joinPort(ip, String(chosen));
}

async function addressOfService(
  cluster: Cluster,
  { metadata, spec }: Service,
  port: string | undefined,
): Promise<string> {
  const ports = spec?.ports ?? [];
  if (port === undefined && ports.length !== 1)
    throw new CliError(
      'USAGE',
      `service ${metadata.name} has ports ${ports.map((each) => each.port).join(', ') || '(none)'}; give one, as in ${metadata.name}:${ports[0]?.port ?? 80}`,
    );
  const chosen = port ?? String(ports[0]!.port);
  const ip = spec?.clusterIP;
  if (ip !== undefined && ip !== '' && ip !== 'None') return joinPort(ip, chosen);
  // Without an address of its own, applications dial an endpoint.
  const { items } = await cluster.client.request<{ items: EndpointSlice[] }>({
    path: builtInPath('EndpointSlice', metadata.namespace),
    query: { labelSelector: `kubernetes.io/service-name=${metadata.name}` },
  });
  for (const { endpoints } of items)
    for (const { addresses = [], conditions } of endpoints ?? [])
      if (addresses[0] !== undefined && conditions?.ready !== false) return joinPort(addresses[0], chosen);
  throw new CliError(
    'NOT_FOUND',
    `headless service ${metadata.name} has no endpoint that is ready; see kubectl get endpointslices`,
  );
}

function joinPort(ip: string, port: string): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
