// A ServiceEntry, read from JSON that no schema may have checked: what can be carried out, and what cannot.
import type { ServiceEntry, WorkloadEntry, WorkloadEntrySpec } from '@ambient/kube';
import { FieldReader, quote } from '../validation/field-reader.ts';
import { isIpBlock } from '../validation/field-values.ts';
import type { FieldProblem } from '../validation/problem.ts';
import { errorsOf, ProblemList } from '../validation/problem.ts';
import { identityProblem } from './identity-check.ts';

export interface ReadPort {
  readonly name: string;
  readonly number: number;
  readonly protocol: string;
  readonly target: number;
}

export type Resolution = (typeof resolutions)[number];

export interface ReadEndpoint {
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  readonly locality: string;
  readonly weight: number;
  readonly serviceAccount: string;
}

export interface ReadServiceEntry {
  /** Each once; none when the entry as a whole is refused. */
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
  readonly ports: readonly ReadPort[];
  readonly resolution: Resolution;
  /** Undefined for an endpoint that is refused. */
  readonly endpoints: readonly (ReadEndpoint | undefined)[];
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly subjectAltNames: readonly string[];
  readonly problems: readonly FieldProblem[];
}

const resolutions = ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'] as const;

/** '/' would part the names of resources; the rest is what DNS and a wildcard can have. */
const hostShape = /^(\*|\*\.|\*-)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;

const read = new WeakMap<ServiceEntry, ReadServiceEntry>();

/**
 * Reads an entry once. A field outside `endpoints` that cannot be carried out refuses the entry (no hosts), since a
 * service with fewer addresses or ports than written is another service; a bad endpoint refuses itself alone.
 */
export function readServiceEntry(entry: ServiceEntry): ReadServiceEntry {
  let result = read.get(entry);
  if (result === undefined) {
    result = readFields(entry);
    read.set(entry, result);
  }
  return result;
}

function readFields(entry: ServiceEntry): ReadServiceEntry {
  const problems = new ProblemList();
  const spec = new FieldReader(entry.spec, 'spec', problems);
  spec.isObject();
  const hosts = spec.at('hosts').items().flatMap(readHost);
  if (hosts.length === 0) spec.at('hosts').error('names no host');
  const result = {
    hosts: [...new Set(hosts)],
    addresses: spec.at('addresses').items().flatMap(readAddress),
    ports: spec.at('ports').items().map(readPort),
    resolution: spec.at('resolution').oneOf(resolutions) ?? 'NONE',
    selector: readSelector(spec.at('workloadSelector')),
    subjectAltNames: spec
      .at('subjectAltNames')
      .items()
      .flatMap((name) => name.string() ?? []),
  };
  const refused = errorsOf(problems.all).length > 0;
  const namespace = entry.metadata.namespace ?? '';
  const endpoints = spec
    .at('endpoints')
    .items()
    .map(({ path, raw }) => {
      const own = new ProblemList();
      const endpoint = readEndpointFields(new FieldReader(raw, path, own), namespace);
      own.all.forEach((problem) => problems.add(problem));
      return errorsOf(own.all).length === 0 ? endpoint : undefined;
    });
  if (!refused) return { ...result, endpoints, problems: problems.all };
  return { ...result, hosts: [], ports: [], addresses: [], endpoints: [], problems: problems.all };
}

function readHost(field: FieldReader): string[] {
  const host = field.required();
  if (host === undefined) return [];
  if (host.length <= 255 && (host === '*' || hostShape.test(host))) return [host];
  field.error(`${quote(host)} is no host name`);
  return [];
}

function readAddress(field: FieldReader): string[] {
  const address = field.required();
  if (address === undefined) return [];
  if (isIpBlock(address)) return [address];
  field.error(`${quote(address)} is no address and no range such as 10.0.0.0/8`);
  return [];
}

function readPort(field: FieldReader): ReadPort {
  const number = field.at('number').integer(1, 65535) ?? 0;
  if (!field.at('number').present) field.at('number').error('must be set');
  const target = field.at('targetPort').integer(0, 65535) ?? 0;
  return {
    name: field.at('name').string() ?? '',
    number,
    protocol: field.at('protocol').string() ?? '',
    target: target === 0 ? number : target,
  };
}

function readSelector(field: FieldReader): Readonly<Record<string, string>> | undefined {
  return field.present && field.isObject() ? readLabels(field.at('labels')) : undefined;
}

function readLabels(field: FieldReader): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [label, value] of field.entries()) {
    const text = value.string();
    if (text !== undefined) labels[label] = text;
  }
  return labels;
}

const entries = new WeakMap<
  WorkloadEntry,
  { endpoint: ReadEndpoint | undefined; problems: readonly FieldProblem[] }
>();

/** Reads the `spec` of a WorkloadEntry once. No endpoint when a field cannot be carried out. */
export function readWorkloadEntry(entry: WorkloadEntry): {
  readonly endpoint: ReadEndpoint | undefined;
  readonly problems: readonly FieldProblem[];
} {
  let result = entries.get(entry);
  if (result === undefined) {
    const list = new ProblemList();
    const spec = new FieldReader(entry.spec ?? {}, 'spec', list);
    const endpoint = readEndpointFields(spec, entry.metadata.namespace ?? '');
    const problems = list.all;
    result = { endpoint: errorsOf(problems).length === 0 ? endpoint : undefined, problems };
    entries.set(entry, result);
  }
  return result;
}

function readEndpointFields(field: FieldReader, namespace: string): ReadEndpoint {
  field.isObject();
  const text = (name: keyof WorkloadEntrySpec): string => field.at(name).string() ?? '';
  const ports: Record<string, number> = {};
  for (const [name, value] of field.at('ports').entries()) ports[name] = value.integer(1, 65535) ?? 0;
  const account = field.at('serviceAccount');
  const serviceAccount = account.string() ?? '';
  const problem = identityProblem(account.path, namespace, serviceAccount);
  if (problem !== undefined) account.error(problem.message);
  return {
    address: text('address'),
    ports,
    labels: readLabels(field.at('labels')),
    network: text('network'),
    locality: text('locality'),
    weight: field.at('weight').integer(0, 0xffff_ffff) ?? 0,
    serviceAccount,
  };
}
