import type { FieldReader } from './field-reader.ts';
import { duration, headerName, portNumber } from './field-values.ts';

const maxCount = 0x7fffffff;
const second = 1000;

/** `trafficPolicy` of a DestinationRule or of one of its subsets. */
export function trafficPolicy(policy: FieldReader): void {
  if (!policy.isObject('optional')) return;
  settings(policy);
  for (const port of policy.at('portLevelSettings').items()) {
    if (!port.isObject()) continue;
    if (!port.at('port').at('number').present) port.at('port').at('number').error('must be set');
    portNumber(port.at('port').at('number'));
    settings(port);
  }
  const tunnel = policy.at('tunnel');
  if (tunnel.isObject('optional')) {
    tunnel.at('targetHost').required();
    if (!tunnel.at('targetPort').present) tunnel.at('targetPort').error('must be set');
    portNumber(tunnel.at('targetPort'));
    tunnel.at('protocol').oneOf(['CONNECT', 'POST'] as const);
  }
  policy
    .at('proxyProtocol')
    .at('version')
    .oneOf(['V1', 'V2'] as const);
  const budget = policy.at('retryBudget');
  const share = budget.at('percent').number();
  if (share !== undefined && !(share >= 0 && share <= 100))
    budget.at('percent').error(`must be from 0 to 100, not ${share}`);
  budget.at('minRetryConcurrency').integer(0, maxCount);
}

function settings(policy: FieldReader): void {
  connectionPool(policy.at('connectionPool'));
  outlierDetection(policy.at('outlierDetection'));
  loadBalancer(policy.at('loadBalancer'), policy.at('outlierDetection').present);
  clientTls(policy.at('tls'));
}

function connectionPool(pool: FieldReader): void {
  if (!pool.isObject('optional')) return;
  if (!pool.at('tcp').present && !pool.at('http').present) pool.error('one of tcp, http must be set');
  const tcp = pool.at('tcp');
  tcp.at('maxConnections').integer(0, maxCount);
  duration(tcp.at('connectTimeout'));
  duration(tcp.at('maxConnectionDuration'));
  duration(tcp.at('idleTimeout'), 0);
  tcp.at('tcpKeepalive').at('probes').integer(0, maxCount);
  for (const name of ['time', 'interval']) duration(tcp.at('tcpKeepalive').at(name), second);
  const http = pool.at('http');
  for (const name of [
    'http1MaxPendingRequests',
    'http2MaxRequests',
    'maxRequestsPerConnection',
    'maxRetries',
    'maxConcurrentStreams',
  ])
    http.at(name).integer(0, maxCount);
  duration(http.at('idleTimeout'), 0);
  const upgrade = http.at('h2UpgradePolicy').oneOf(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'] as const);
  if (http.at('useClientProtocol').boolean() === true && upgrade === 'UPGRADE')
    http.error('only one of h2UpgradePolicy UPGRADE and useClientProtocol may be set');
}

function outlierDetection(field: FieldReader): void {
  if (!field.isObject('optional')) return;
  for (const name of ['interval', 'baseEjectionTime']) duration(field.at(name));
  for (const name of ['maxEjectionPercent', 'minHealthPercent']) field.at(name).integer(0, 100);
  for (const name of [
    'consecutiveErrors',
    'consecutive5xxErrors',
    'consecutiveGatewayErrors',
    'consecutiveLocalOriginFailures',
  ])
    field.at(name).integer(0, maxCount);
  const local = field.at('consecutiveLocalOriginFailures').number() ?? 0;
  if (local > 0 && field.at('splitExternalLocalOriginErrors').boolean() !== true)
    field.at('consecutiveLocalOriginFailures').error('counts only with splitExternalLocalOriginErrors: true');
}

const simpleBalancers = [
  'UNSPECIFIED',
  'LEAST_CONN',
  'RANDOM',
  'PASSTHROUGH',
  'ROUND_ROBIN',
  'LEAST_REQUEST',
] as const;

function loadBalancer(field: FieldReader, ejects: boolean): void {
  if (!field.isObject('optional')) return;
  field.choice(['simple', 'consistentHash'], 'at most one');
  const simple = field.at('simple').oneOf(simpleBalancers);
  if (field.at('consistentHash').isObject('optional')) consistentHash(field.at('consistentHash'));
  const locality = field.at('localityLbSetting');
  if (locality.isObject('optional')) localityBalancing(locality, ejects);
  duration(field.at('warmupDurationSecs'));
  const warmup = field.at('warmup');
  if (!warmup.isObject('optional')) return;
  if (!warmup.at('duration').present) warmup.at('duration').error('must be set');
  duration(warmup.at('duration'));
  const least = warmup.at('minimumPercent').number();
  if (least !== undefined && !(least >= 0 && least <= 100))
    warmup.at('minimumPercent').error(`must be from 0 to 100, not ${least}`);
  const aggression = warmup.at('aggression').number();
  if (aggression !== undefined && !(aggression >= 1))
    warmup.at('aggression').error(`must be at least 1, not ${aggression}`);
  if (simple === 'RANDOM' || simple === 'PASSTHROUGH') warmup.warning(`has no effect with ${simple}`);
}

function consistentHash(hash: FieldReader): void {
  hash.choice(['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'], 'one');
  const header = hash.at('httpHeaderName').string();
  if (header !== undefined) headerName(hash.at('httpHeaderName'), header);
  const cookie = hash.at('httpCookie');
  if (cookie.isObject('optional')) {
    cookie.at('name').required();
    duration(cookie.at('ttl'), 0);
  }
  hash.choice(['ringHash', 'maglev'], 'at most one');
  const size = hash.at('maglev').at('tableSize').integer(2, 5_000_011);
  if (size !== undefined && !isPrime(size))
    hash.at('maglev').at('tableSize').error(`${size} is no prime number`);
}

function localityBalancing(locality: FieldReader, ejects: boolean): void {
  locality.choice(['distribute', 'failover', 'failoverPriority'], 'at most one');
  for (const entry of locality.at('distribute').items()) {
    if (!entry.isObject()) continue;
    entry.at('from').required();
    let total = 0;
    for (const [, share] of entry.at('to').entries()) total += share.integer(1, 100) ?? 0;
    if (total !== 100) entry.at('to').error(`the shares must add up to 100, not ${total}`);
  }
  for (const entry of locality.at('failover').items()) {
    if (!entry.isObject()) continue;
    const from = entry.at('from').required();
    const to = entry.at('to').required();
    if (from !== undefined && from === to) entry.error('a region does not fail over to itself');
  }
  if (locality.at('failover').items().length > 0 && !ejects)
    locality
      .at('failover')
      .warning('needs outlierDetection, without which no endpoint is found to have failed');
}

function clientTls(tls: FieldReader): void {
  if (!tls.isObject('optional')) return;
  const mode = tls.at('mode').oneOf(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'] as const);
  const set = (name: string) => (tls.at(name).string() ?? '') !== '';
  if (mode === 'MUTUAL' && !set('credentialName'))
    for (const name of ['clientCertificate', 'privateKey'])
      if (!set(name)) tls.at(name).error('must be set for MUTUAL, or credentialName in its place');
  if (mode === 'ISTIO_MUTUAL')
    for (const name of ['clientCertificate', 'privateKey', 'caCertificates', 'credentialName'])
      if (set(name))
        tls.at(name).error('may not be set for ISTIO_MUTUAL, which uses the certificates of the mesh');
  if (set('credentialName') && (set('clientCertificate') || set('privateKey')))
    tls.error('only one of credentialName and clientCertificate with privateKey may be set');
  tls.at('insecureSkipVerify').boolean();
  for (const name of tls.at('subjectAltNames').items()) name.required();
}

function isPrime(value: number): boolean {
  if (value < 2 || (value > 2 && value % 2 === 0)) return false;
  for (let factor = 3; factor * factor <= value; factor += 2) if (value % factor === 0) return false;
  return true;
}
