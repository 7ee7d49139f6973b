import { FieldReader, quote } from './field-reader.ts';
import { portNumber } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { policySelector, selectorLabel } from './selectors.ts';

// Kinds that steer Envoy sidecars. They are accepted, so that manifests apply as they are, and whoever writes one is told
// what it does here.

/** EnvoyFilter changes the configuration of Envoy, which no part of this mesh has. */
export function validateEnvoyFilter(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  for (const [key, value] of spec.at('workloadSelector').at('labels').entries()) selectorLabel(key, value);
  for (const patch of spec.at('configPatches').items()) {
    if (!patch.isObject()) continue;
    patch.at('applyTo').string();
    patch.at('patch').isObject();
  }
  spec.warning('EnvoyFilter has no effect: no part of this mesh is Envoy');
  return problems.all;
}

/** Sidecar limits what a sidecar sees; ambient workloads have none. */
export function validateSidecar(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  for (const [key, value] of spec.at('workloadSelector').at('labels').entries()) selectorLabel(key, value);
  for (const ingress of spec.at('ingress').items()) {
    if (!ingress.isObject()) continue;
    if (ingress.at('port').isObject()) portNumber(ingress.at('port').at('number'));
  }
  for (const egress of spec.at('egress').items()) {
    if (!egress.isObject()) continue;
    portNumber(egress.at('port').at('number'));
    const hosts = egress.at('hosts');
    if (hosts.items().length === 0) hosts.error('must name a host');
    for (const item of hosts.items()) {
      const text = item.required();
      if (text !== undefined && !/^[^/]+\/[^/]+$/.test(text))
        item.error(`${quote(text)} is not NAMESPACE/HOST`);
    }
  }
  spec.warning('Sidecar has no effect on ambient workloads');
  return problems.all;
}

/** ProxyConfig sets what a proxy starts with. */
export function validateProxyConfig(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  policySelector(spec.at('selector'));
  // 0 is one thread for each processor.
  spec.at('concurrency').integer(0, 1024);
  for (const [name, value] of spec.at('environmentVariables').entries()) {
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name))
      value.error(`${quote(name)} is no name of an environment variable`);
    value.string();
  }
  spec.at('image').at('imageType').string();
  return problems.all;
}
