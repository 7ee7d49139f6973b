import { canonicalIp, Cidr } from './ip.ts';
import type {
  CidrMatch,
  GatewayAddress,
  Policy,
  PolicyMatch,
  PortMapping,
  Service,
  StringMatch,
  Workload,
} from './types.ts';

/** Something in a resource that must not be applied. */
export interface Problem {
  /** Field, as `rules[0].clauses[1].matches[0].sourceIps[2]`. */
  readonly path: string;
  /** What is wrong with the value. */
  readonly problem: string;
}

/**
 * What is wrong with a policy; empty if it may be applied. Istio's ztunnel drops a bad range or string match alone, which can
 * widen what the policy matches, and cuts ports to 16 bits; here the policy is rejected as a whole and its last good version
 * stays in force.
 */
export function validatePolicy(policy: Policy): Problem[] {
  const check = new Checker();
  check.oneOf('scope', policy.scope, ['GLOBAL', 'NAMESPACE', 'WORKLOAD_SELECTOR']);
  check.oneOf('action', policy.action, ['ALLOW', 'DENY']);
  policy.rules.forEach((rule, r) => {
    rule.clauses.forEach((clause, c) => {
      clause.matches.forEach((match, m) => check.match(`rules[${r}].clauses[${c}].matches[${m}]`, match));
    });
  });
  return check.problems;
}

/** What is wrong with a workload; empty if it may be applied. */
export function validateWorkload(workload: Workload): Problem[] {
  const check = new Checker();
  check.notEmpty('uid', workload.uid);
  workload.addresses.forEach((ip, i) => check.ip(`addresses[${i}]`, ip));
  check.oneOf('tunnelProtocol', workload.tunnelProtocol, ['NONE', 'HBONE']);
  check.oneOf('status', workload.status, ['HEALTHY', 'UNHEALTHY']);
  check.oneOf('networkMode', workload.networkMode, ['STANDARD', 'HOST_NETWORK']);
  check.identityPart('trustDomain', workload.trustDomain);
  check.identityPart('namespace', workload.namespace);
  check.identityPart('serviceAccount', workload.serviceAccount);
  check.gateway('waypoint', workload.waypoint);
  check.gateway('networkGateway', workload.networkGateway);
  if (workload.applicationTunnel !== undefined) {
    check.oneOf('applicationTunnel.protocol', workload.applicationTunnel.protocol, ['NONE', 'PROXY']);
    check.port('applicationTunnel.port', workload.applicationTunnel.port, 0);
  }
  for (const [key, ports] of Object.entries(workload.services)) {
    if (!key.includes('/'))
      check.report(`services[${JSON.stringify(key)}]`, 'is not of the form namespace/hostname');
    check.ports(`services[${JSON.stringify(key)}]`, ports);
  }
  check.wholeNumber('capacity', workload.capacity, 0xffffffff);
  return check.problems;
}

/** What is wrong with a service; empty if it may be applied. */
export function validateService(service: Service): Problem[] {
  const check = new Checker();
  check.notEmpty('hostname', service.hostname);
  if (service.namespace.includes('/')) check.report('namespace', 'contains a slash');
  service.addresses.forEach(({ ip }, i) => check.ip(`addresses[${i}]`, ip));
  service.cidrAddresses.forEach((range, i) => check.range(`cidrAddresses[${i}]`, range));
  check.ports('ports', service.ports);
  check.gateway('waypoint', service.waypoint);
  service.weightedWaypoints.forEach(({ destination, weight }, i) => {
    check.gateway(`weightedWaypoints[${i}]`, destination);
    check.wholeNumber(`weightedWaypoints[${i}].weight`, weight, 0xffffffff);
  });
  check.oneOf('ipFamilies', service.ipFamilies, ['AUTOMATIC', 'IPV4_ONLY', 'IPV6_ONLY', 'DUAL']);
  const balancing = service.loadBalancing;
  if (balancing !== undefined) {
    check.oneOf('loadBalancing.mode', balancing.mode, [
      'UNSPECIFIED_MODE',
      'STRICT',
      'FAILOVER',
      'PASSTHROUGH',
    ]);
    check.oneOf('loadBalancing.healthPolicy', balancing.healthPolicy, ['ONLY_HEALTHY', 'ALLOW_ALL']);
    balancing.routingPreference.forEach((scope, i) =>
      check.oneOf(`loadBalancing.routingPreference[${i}]`, scope, [
        'REGION',
        'ZONE',
        'SUBZONE',
        'NODE',
        'CLUSTER',
        'NETWORK',
      ]),
    );
  }
  return check.problems;
}

class Checker {
  readonly problems: Problem[] = [];

  report(path: string, problem: string): void {
    this.problems.push({ path, problem });
  }

  notEmpty(path: string, text: string): void {
    if (text === '') this.report(path, 'is empty');
  }

  /** The value may come from another program: its type is a promise, not a fact. */
  oneOf<T extends string>(path: string, value: T, allowed: readonly NoInfer<T>[]): void {
    if (!allowed.includes(value))
      this.report(path, `is ${JSON.stringify(value)}, not one of ${allowed.join(', ')}`);
  }

  /** A slash would shift the parts of the SPIFFE id, so that one workload could look like another. */
  identityPart(path: string, text: string): void {
    if (text.includes('/')) this.report(path, `${JSON.stringify(text)} contains a slash`);
  }

  wholeNumber(path: string, value: number, max: number, min = 0): void {
    if (!Number.isInteger(value) || value < min || value > max)
      this.report(path, `is ${value}, not ${min}..${max}`);
  }

  port(path: string, port: number, min: 0 | 1): void {
    this.wholeNumber(path, port, 65535, min);
  }

  ports(path: string, ports: readonly PortMapping[]): void {
    ports.forEach(({ servicePort, targetPort }, i) => {
      this.port(`${path}[${i}].servicePort`, servicePort, 1);
      this.port(`${path}[${i}].targetPort`, targetPort, 0);
    });
  }

  ip(path: string, ip: string): void {
    const canonical = canonicalIp(ip);
    if (canonical === undefined) this.report(path, `${JSON.stringify(ip)} is not an IP address`);
    else if (canonical !== ip)
      this.report(path, `${JSON.stringify(ip)} is not canonical, which is ${canonical}`);
  }

  range(path: string, { ip, length }: CidrMatch): void {
    const before = this.problems.length;
    this.ip(path, ip);
    if (this.problems.length === before && Cidr.from(ip, length) === undefined)
      this.report(path, `prefix length ${length} is not one of ${ip.includes(':') ? '0..128' : '0..32'}`);
  }

  gateway(path: string, gateway: GatewayAddress | undefined): void {
    if (gateway === undefined) return;
    this.port(`${path}.hboneMtlsPort`, gateway.hboneMtlsPort, 0);
    if (gateway.destination.kind === 'address')
      this.ip(`${path}.destination`, gateway.destination.address.ip);
    else this.notEmpty(`${path}.destination.hostname`, gateway.destination.hostname);
  }

  match(path: string, match: PolicyMatch): void {
    const strings = (field: keyof PolicyMatch, list: readonly StringMatch[]) =>
      list.forEach(({ kind }, i) =>
        this.oneOf(`${path}.${field}[${i}]`, kind, ['exact', 'prefix', 'suffix', 'presence']),
      );
    const ranges = (field: keyof PolicyMatch, list: readonly CidrMatch[]) =>
      list.forEach((range, i) => this.range(`${path}.${field}[${i}]`, range));
    const ports = (field: keyof PolicyMatch, list: readonly number[]) =>
      list.forEach((port, i) => this.port(`${path}.${field}[${i}]`, port, 0));
    strings('namespaces', match.namespaces);
    strings('notNamespaces', match.notNamespaces);
    strings('principals', match.principals);
    strings('notPrincipals', match.notPrincipals);
    ranges('sourceIps', match.sourceIps);
    ranges('notSourceIps', match.notSourceIps);
    ranges('destinationIps', match.destinationIps);
    ranges('notDestinationIps', match.notDestinationIps);
    ports('destinationPorts', match.destinationPorts);
    ports('notDestinationPorts', match.notDestinationPorts);
  }
}
