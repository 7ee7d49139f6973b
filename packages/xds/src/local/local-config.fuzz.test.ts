import { MeshStore, validatePolicy, validateService, validateWorkload } from '@ambient/mesh';
import { damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { stringify } from 'yaml';

import { samplePolicy, sampleService, sampleWorkload } from '../convert/samples.test-data.ts';
import { dumpPolicy, dumpService, dumpWorkload } from '../dump.ts';
import { LocalSourceError } from '../errors.ts';
import { parseLocalConfig, updateId } from './local-config.ts';
import type { LocalConfig } from './local-config.ts';

const dumped = stringify({
  workloads: [dumpWorkload({ ...sampleWorkload, services: {} })],
  services: [dumpService(sampleService, [sampleWorkload])],
  policies: [dumpPolicy(samplePolicy)],
});
const written = `
workloads:
- name: a
  namespace: x
  workloadIps: [10.0.0.1, "fd00::1"]
  protocol: HBONE
  services: {x/svc: {80: 8080}}
  authorizationPolicies: [x/p]
- {name: b, namespace: x, workloadIps: [10.0.0.2], capacity: 3, waypoint: {destination: x/wp, hboneMtlsPort: 15008}}
services:
- name: svc
  namespace: x
  hostname: svc.x
  vips: [/10.1.0.1]
  cidrVips: [/10.2.0.0/16]
  ports: {80: 8080}
  endpoints: {one: {workloadUid: Kubernetes//Pod/x/b, port: {80: 81}}}
  loadBalancer: {routingPreferences: [Region, Zone], mode: Failover, healthPolicy: OnlyHealthy}
policies:
- name: p
  namespace: x
  scope: WorkloadSelector
  action: Deny
  dryRun: false
  rules:
  - - - namespaces: [!Exact y, !Prefix z]
        principals: [!Suffix /sa/b, !Presence []]
        notSourceIps: [10.0.0.0/8]
        destinationPorts: [80]
`;

/** What YAML and the document treat specially. */
const dictionary = [
  ...'{}[]:,-!&*"\'\n#|>%@`?~',
  '\t',
  '\n  - ',
  '\n---\n',
  '...\n',
  '&a ',
  '*a',
  '<<: *a',
  '? x\n: ',
  '!Exact ',
  '!Presence [1]',
  '!!binary ',
  '!!set ',
  '!<tag:yaml.org,2002:map> ',
  '%YAML 1.1\n---\n',
  '%TAG ! tag:x,2000:\n',
  'null',
  'true',
  '.nan',
  '-.inf',
  '0x10',
  '1e400',
  '9007199254740993',
  '__proto__: ',
  '{__proto__: {uid: x}}',
  'constructor: ',
  'toString',
  '\u2028',
  '\ufeff',
  '\0',
  '\ud800',
  '::ffff:10.0.0.1',
  '10.0.0.0/33',
  '[[[[[[[[[[[[[[[[',
  '{{{{{{{{',
  '- '.repeat(40),
  '- - - - - - - -',
  '"\\x',
  '"\\U00110000"',
];

/** The configuration, or undefined when the whole document was refused for what it holds. */
function parse(yaml: string): LocalConfig | undefined {
  try {
    return parseLocalConfig(yaml);
  } catch (error) {
    if (!(error instanceof LocalSourceError)) throw error;
    return undefined;
  }
}

describe('a local mesh document under fuzz', () => {
  it('is refused, or gives a mesh that the store may hold, and names what it leaves out [fuzz]', () => {
    const document = damagedText(fc.constantFrom(dumped, written, written, ''), dictionary);
    fc.assert(
      fc.property(document, (yaml) => {
        const config = parse(yaml);
        if (config === undefined) return;
        for (const { cause, message } of config.rejected) {
          expect(message.length).to.be.above(0);
          if (cause instanceof TypeError || cause instanceof ReferenceError) throw cause;
        }
        const store = new MeshStore();
        for (const [id, update] of config.updates) {
          expect(updateId(update)).to.equal(id);
          expect(structuredClone(update)).to.deep.equal(update);
          if (update.kind === 'workload') expect(validateWorkload(update.workload)).to.deep.equal([]);
          if (update.kind === 'service') expect(validateService(update.service)).to.deep.equal([]);
          if (update.kind === 'policy') expect(validatePolicy(update.policy)).to.deep.equal([]);
        }
        store.apply([...config.updates.values()]);
        expect(Object.prototype).to.not.have.property('uid');
      }),
      fuzzBudget(),
    );
  });

  it('of any depth is read or refused, not a fault of the stack [fuzz]', () => {
    const nesting = fc.tuple(
      fc.constantFrom('[', '{a: ', '- ', '[{', '!x [', '? ', '"', '> '),
      fc.oneof(fc.nat(50), fc.nat(120)),
      fc.boolean(),
    );
    fc.assert(
      fc.property(nesting, ([open, depth, inside]) => {
        parse(inside ? `workloads: ${open.repeat(depth)}` : open.repeat(depth));
      }),
      fuzzBudget(),
    );
  });
});
