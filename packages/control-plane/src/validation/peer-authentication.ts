import { FieldReader, quote } from './field-reader.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { policySelector } from './selectors.ts';

const modes = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'] as const;

/** Checks of PeerAuthentication, by the rules of Istio's API reference. */
export function validatePeerAuthentication(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  const selector = spec.at('selector');
  policySelector(selector);
  spec.at('mtls').at('mode').oneOf(modes);
  const ports = spec.at('portLevelMtls');
  const entries = ports.entries();
  if (ports.present && entries.length === 0 && ports.isObject('optional'))
    ports.error('names no port: leave it out, or name one');
  if (entries.length > 0 && selector.at('matchLabels').entries().length === 0)
    ports.error(
      'is for policies with a selector: a policy of a namespace or of the mesh has one mode for all ports',
    );
  for (const [port, mtls] of entries) {
    if (parsePolicyPort(port) === undefined)
      mtls.error(`${quote(port)} is no port: the key is a number from 1 to 65535`);
    mtls.at('mode').oneOf(modes);
  }
  return problems.all;
}

/** A key of `portLevelMtls`: the target port of the workload in decimal, 1 to 65535. */
export function parsePolicyPort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}
