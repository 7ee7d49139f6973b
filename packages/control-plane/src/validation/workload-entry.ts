import { FieldReader, quote } from './field-reader.ts';
import { isDnsName, isIp, labels, portNumber } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';

/** Checks of WorkloadEntry, by the rules of Istio's API reference. */
export function validateWorkloadEntry(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  if (spec.isObject()) workload(spec, 'entry');
  return problems.all;
}

/** Checks of WorkloadGroup: a template of WorkloadEntry without an address. */
export function validateWorkloadGroup(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  if (!spec.isObject()) return problems.all;
  labels(spec.at('metadata').at('labels'));
  const template = spec.at('template');
  if (template.isObject()) workload(template, 'template');
  const probe = spec.at('probe');
  if (probe.isObject('optional')) readinessProbe(probe);
  return problems.all;
}

/** An entry, the inline endpoint of a ServiceEntry (`endpoint`), or the template of a group. */
export function workload(spec: FieldReader, role: 'entry' | 'endpoint' | 'template'): void {
  const address = spec.at('address');
  const text = address.string() ?? '';
  if (role === 'template') {
    if (text !== '') address.error('a template has no address: each entry of the group brings its own');
  } else if (text === '') {
    if ((spec.at('network').string() ?? '') === '')
      address.error('must be set, unless the entry names a network whose gateway leads to it');
  } else if (text.startsWith('unix://')) unixAddress(spec, text);
  else if (!isIp(text) && !isDnsName(text))
    address.error(`${quote(text)} is neither an IP address nor a DNS name`);
  for (const [name, port] of spec.at('ports').entries()) {
    if (name === '') port.error('a port must have a name');
    portNumber(port);
  }
  labels(spec.at('labels'));
  spec.at('weight').integer(0, 0xffffffff);
  spec.at('network').string();
  spec.at('locality').string();
  const account = spec.at('serviceAccount').string();
  // It becomes part of a SPIFFE identity, where a slash would say something else.
  if (account !== undefined && account !== '' && !isDnsName(account))
    spec.at('serviceAccount').error(`${quote(account)} is no name of a service account`);
}

function unixAddress(spec: FieldReader, text: string): void {
  const path = text.slice('unix://'.length);
  if (!path.startsWith('/') && !path.startsWith('@'))
    spec
      .at('address')
      .error(`${quote(text)}: a Unix socket needs an absolute path, or a name that begins with @`);
  else
    spec.at('address').warning('Unix sockets are not reached in ambient mode, so this endpoint is left out');
  if (spec.at('ports').entries().length > 0) spec.at('ports').error('a Unix socket has no ports');
}

function readinessProbe(probe: FieldReader): void {
  probe.choice(['httpGet', 'tcpSocket', 'exec', 'grpc'], 'one');
  for (const name of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ])
    probe.at(name).integer(0, 0x7fffffff);
  const http = probe.at('httpGet');
  if (http.isObject('optional')) {
    if (!http.at('port').present) http.at('port').error('must be set');
    portNumber(http.at('port'));
  }
  const tcp = probe.at('tcpSocket');
  if (tcp.isObject('optional')) {
    if (!tcp.at('port').present) tcp.at('port').error('must be set');
    portNumber(tcp.at('port'));
  }
  const exec = probe.at('exec');
  if (exec.isObject('optional') && exec.at('command').items().length === 0)
    exec.at('command').error('must be set');
}
