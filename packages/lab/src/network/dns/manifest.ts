import type { JsonObject } from '../../api/object.ts';

export interface DnsManifestOptions {
  /** Of the Service; the first family first. */
  readonly clusterIps: readonly string[];
  readonly upstreams?: readonly string[];
  readonly replicas?: number;
}

const namespace = 'kube-system';
const labels = { 'k8s-app': 'kube-dns' };

/** The objects of cluster DNS, named as those of other clusters are, so that what looks for them finds them. */
export function dnsManifest({ clusterIps, upstreams = [], replicas = 1 }: DnsManifestOptions): JsonObject[] {
  const dualStack = clusterIps.length > 1;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['services', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'coredns',
            // It answers for names of the cluster, and must not ask itself for others.
            dnsPolicy: 'Default',
            containers: [
              {
                name: 'coredns',
                image: 'ambient/lab-dns',
                args: upstreams.flatMap((address) => ['--upstream', address]),
                ports: [
                  { name: 'dns', containerPort: 53, protocol: 'UDP' },
                  { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
                ],
                readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace, labels: { ...labels, 'kubernetes.io/name': 'CoreDNS' } },
      spec: {
        selector: labels,
        clusterIP: clusterIps[0]!,
        clusterIPs: [...clusterIps],
        ipFamilyPolicy: dualStack ? 'RequireDualStack' : 'SingleStack',
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    },
  ];
}
