import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import protobuf from 'protobufjs';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));

/** Messages and enums by which parts of ours and of Istio's speak to each other: what is in them, by number and type. */
const protocol: readonly (readonly [name: string, content: string])[] = [
  [
    'istio.security.Authorization',
    'name=1 string, namespace=2 string, scope=3 Scope, action=4 Action, rules=5 repeated Rule, dry_run=6 bool, extensions=7 repeated istio.workload.Extension',
  ],
  ['istio.security.Scope', 'GLOBAL=0, NAMESPACE=1, WORKLOAD_SELECTOR=2'],
  ['istio.security.Action', 'ALLOW=0, DENY=1'],
  ['istio.security.Rule', 'clauses=1 repeated Clause'],
  ['istio.security.Clause', 'matches=2 repeated Match'],
  [
    'istio.security.Match',
    'namespaces=1 repeated StringMatch, not_namespaces=2 repeated StringMatch, principals=3 repeated StringMatch, not_principals=4 repeated StringMatch, source_ips=5 repeated Address, not_source_ips=6 repeated Address, destination_ips=7 repeated Address, not_destination_ips=8 repeated Address, destination_ports=9 repeated uint32, not_destination_ports=10 repeated uint32, service_accounts=11 repeated ServiceAccountMatch, not_service_accounts=12 repeated ServiceAccountMatch, extensions=13 repeated istio.workload.Extension',
  ],
  ['istio.security.Address', 'address=1 bytes, length=2 uint32'],
  ['istio.security.ServiceAccountMatch', 'namespace=1 string, serviceAccount=2 string'],
  [
    'istio.security.StringMatch',
    'exact=1 string, prefix=2 string, suffix=3 string, presence=4 google.protobuf.Empty',
  ],
  ['istio.workload.Address', 'workload=1 Workload, service=2 Service'],
  [
    'istio.workload.Service',
    'name=1 string, namespace=2 string, hostname=3 string, addresses=4 repeated NetworkAddress, ports=5 repeated Port, subject_alt_names=6 repeated string, waypoint=7 GatewayAddress, load_balancing=8 LoadBalancing, ip_families=9 IPFamilies, extensions=10 repeated Extension, canonical=11 bool, ingress_use_waypoint=12 bool, weighted_waypoints=13 repeated WeightedWaypoint, visibility=14 Visibility',
  ],
  ['istio.workload.Service.Visibility', 'PUBLIC=0, NAMESPACE=1'],
  ['istio.workload.IPFamilies', 'AUTOMATIC=0, IPV4_ONLY=1, IPV6_ONLY=2, DUAL=3'],
  ['istio.workload.NetworkMode', 'STANDARD=0, HOST_NETWORK=1'],
  [
    'istio.workload.LoadBalancing',
    'routing_preference=1 repeated Scope, mode=2 Mode, health_policy=3 HealthPolicy',
  ],
  [
    'istio.workload.LoadBalancing.Scope',
    'UNSPECIFIED_SCOPE=0, REGION=1, ZONE=2, SUBZONE=3, NODE=4, CLUSTER=5, NETWORK=6',
  ],
  ['istio.workload.LoadBalancing.Mode', 'UNSPECIFIED_MODE=0, STRICT=1, FAILOVER=2, PASSTHROUGH=3'],
  ['istio.workload.LoadBalancing.HealthPolicy', 'ONLY_HEALTHY=0, ALLOW_ALL=1'],
  [
    'istio.workload.Workload',
    'name=1 string, namespace=2 string, addresses=3 repeated bytes, network=4 string, tunnel_protocol=5 TunnelProtocol, trust_domain=6 string, service_account=7 string, waypoint=8 GatewayAddress, node=9 string, canonical_name=10 string, canonical_revision=11 string, workload_type=12 WorkloadType, workload_name=13 string, native_tunnel=14 bool, authorization_policies=16 repeated string, status=17 WorkloadStatus, cluster_id=18 string, network_gateway=19 GatewayAddress, uid=20 string, hostname=21 string, services=22 map<string,PortList>, application_tunnel=23 ApplicationTunnel, locality=24 Locality, network_mode=25 NetworkMode, extensions=26 repeated Extension, capacity=27 google.protobuf.UInt32Value',
  ],
  ['istio.workload.Locality', 'region=1 string, zone=2 string, subzone=3 string'],
  ['istio.workload.WorkloadStatus', 'HEALTHY=0, UNHEALTHY=1'],
  ['istio.workload.WorkloadType', 'DEPLOYMENT=0, CRONJOB=1, POD=2, JOB=3'],
  ['istio.workload.PortList', 'ports=1 repeated Port'],
  ['istio.workload.Port', 'service_port=1 uint32, target_port=2 uint32, app_protocol=3 AppProtocol'],
  ['istio.workload.AppProtocol', 'UNKNOWN=0, HTTP11=1, HTTP2=2, GRPC=3, TCP=4, TLS=5'],
  ['istio.workload.TunnelProtocol', 'NONE=0, HBONE=1, LEGACY_ISTIO_MTLS=2'],
  ['istio.workload.ApplicationTunnel', 'protocol=1 Protocol, port=2 uint32'],
  ['istio.workload.ApplicationTunnel.Protocol', 'NONE=0, PROXY=1'],
  [
    'istio.workload.GatewayAddress',
    'hostname=1 NamespacedHostname, address=2 NetworkAddress, hbone_mtls_port=3 uint32',
  ],
  ['istio.workload.WeightedWaypoint', 'destination=1 GatewayAddress, weight=2 uint32'],
  ['istio.workload.NetworkAddress', 'network=1 string, address=2 bytes, length=3 uint32'],
  ['istio.workload.NamespacedHostname', 'namespace=1 string, hostname=2 string'],
  ['istio.workload.Extension', 'name=1 string, config=2 google.protobuf.Any'],
  ['istio.workload.zds.Version', 'NOT_USED=0, V1=1'],
  ['istio.workload.zds.ZdsHello', 'version=1 Version'],
  ['istio.workload.zds.WorkloadInfo', 'name=1 string, namespace=2 string, service_account=3 string'],
  ['istio.workload.zds.AddWorkload', 'uid=1 string, workload_info=2 WorkloadInfo'],
  ['istio.workload.zds.KeepWorkload', 'uid=1 string'],
  ['istio.workload.zds.DelWorkload', 'uid=2 string'],
  ['istio.workload.zds.SnapshotSent', ''],
  ['istio.workload.zds.Ack', 'error=1 string'],
  [
    'istio.workload.zds.WorkloadRequest',
    'add=1 AddWorkload, del=2 DelWorkload, snapshot_sent=3 SnapshotSent, keep=5 KeepWorkload',
  ],
  ['istio.workload.zds.WorkloadResponse', 'ack=1 Ack'],
  [
    'istio.v1.auth.IstioCertificateRequest',
    'csr=1 string, validity_duration=3 int64, metadata=4 google.protobuf.Struct',
  ],
  ['istio.v1.auth.IstioCertificateResponse', 'cert_chain=1 repeated string'],
  [
    'envoy.service.discovery.v3.DeltaDiscoveryRequest',
    'node=1 envoy.config.core.v3.Node, type_url=2 string, resource_names_subscribe=3 repeated string, resource_names_unsubscribe=4 repeated string, initial_resource_versions=5 map<string,string>, response_nonce=6 string, error_detail=7 google.rpc.Status',
  ],
  [
    'envoy.service.discovery.v3.DeltaDiscoveryResponse',
    'system_version_info=1 string, resources=2 repeated Resource, type_url=4 string, nonce=5 string, removed_resources=6 repeated string',
  ],
  [
    'envoy.service.discovery.v3.Resource',
    'version=1 string, resource=2 google.protobuf.Any, name=3 string, aliases=4 repeated string, ttl=6 google.protobuf.Duration',
  ],
  ['envoy.config.core.v3.Node', 'id=1 string, cluster=2 string, metadata=3 google.protobuf.Struct'],
];

describe('messages of the protocols', () => {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => (target.startsWith('/') ? target : join(PROTO, target));

  before(() => {
    const files = readdirSync(PROTO).filter((name) => name.endsWith('.proto'));
    root.loadSync(files, { keepCase: true });
  });

  for (const [name, content] of protocol)
    it(`${name} has the fields, numbers and types of the others`, () => {
      expect(contentOf(root.lookup(name))).to.equal(content);
    });
});

function contentOf(found: protobuf.ReflectionObject | null): string {
  if (found instanceof protobuf.Enum)
    return Object.entries(found.values)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  return (found as protobuf.Type).fieldsArray.map(fieldOf).join(', ');
}

function fieldOf(field: protobuf.Field): string {
  const repeated = field.repeated ? 'repeated ' : '';
  const type = field instanceof protobuf.MapField ? `map<${field.keyType},${field.type}>` : field.type;
  return `${field.name}=${field.id} ${repeated}${type}`;
}
