import { matchWith, MeshStore, policyWith, workloadWith } from '@ambient/mesh';
import type { Policy, PolicyRule, Workload } from '@ambient/mesh';
import { expect } from 'chai';
import { dedicatedSettings } from '../testing/dedicated-settings.ts';
import { recordingLog } from '../testing/log-lines.ts';
import { askPolicies } from './ask-policies.ts';

const client = { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'client' };
const connection = 'cluster.local/ns/a/sa/client at 10.0.0.1 to shop/web at 10.0.0.2:8080';
const question = {
  principal: client,
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  destinationPort: 8080,
};

/** Rules that match the client of the question, or somebody else. */
function rules(principal: 'client' | 'other'): readonly PolicyRule[] {
  const principals = [{ kind: 'exact', value: `cluster.local/ns/a/sa/${principal}` }] as const;
  return [{ clauses: [{ matches: [matchWith({ principals })] }] }];
}

function policy(name: string, fields: Partial<Policy>): Policy {
  return policyWith({ namespace: 'shop', name, ...fields });
}

async function setup(
  policies: readonly Policy[],
  env: Record<string, string> = {},
  names: readonly string[] = [],
) {
  const store = new MeshStore();
  const workload: Workload = workloadWith({
    uid: 'w',
    name: 'web',
    namespace: 'shop',
    authorizationPolicies: names,
  });
  store.apply([
    ...policies.map((each) => ({ kind: 'policy', key: `shop/${each.name}`, policy: each }) as const),
    { kind: 'workload', workload },
  ]);
  const { log, lines } = recordingLog('policy');
  const context = { store, settings: await dedicatedSettings(env), policyLog: log };
  return {
    ask: () => askPolicies(context, workload, question).allowed,
    /** Lines that show at the usual level. */
    told: () => lines.filter((line) => !line.startsWith('debug')),
    lines,
  };
}

describe('askPolicies', () => {
  const dry = { dryRun: true } as const;
  const cases: readonly {
    readonly name: string;
    readonly policies: readonly Policy[];
    readonly allowed: boolean;
    readonly told: string | undefined;
  }[] = [
    {
      name: 'a DENY that matches',
      policies: [policy('no', { ...dry, action: 'DENY', rules: rules('client') })],
      allowed: true,
      told: 'deny a connection|shop/no',
    },
    {
      name: 'a DENY that does not match',
      policies: [policy('no', { ...dry, action: 'DENY', rules: rules('other') })],
      allowed: true,
      told: undefined,
    },
    {
      name: 'a first ALLOW that does not match',
      policies: [policy('some', { ...dry, rules: rules('other') })],
      allowed: true,
      told: 'deny a connection|shop/some',
    },
    {
      name: 'a first ALLOW that matches',
      policies: [policy('some', { ...dry, rules: rules('client') })],
      allowed: true,
      told: undefined,
    },
    {
      name: 'an ALLOW that does not match beside one in force that does',
      policies: [
        policy('in-force', { rules: rules('client') }),
        policy('more', { ...dry, rules: rules('other') }),
      ],
      allowed: true,
      told: undefined,
    },
    {
      name: 'an ALLOW that matches beside one in force that does not',
      policies: [
        policy('in-force', { rules: rules('other') }),
        policy('more', { ...dry, rules: rules('client') }),
      ],
      allowed: false,
      told: 'allow a connection|shop/more',
    },
    {
      name: 'an ALLOW and a DENY that match, while nothing admits',
      policies: [
        policy('in-force', { rules: rules('other') }),
        policy('more', { ...dry, rules: rules('client') }),
        policy('no', { ...dry, action: 'DENY', rules: rules('client') }),
      ],
      allowed: false,
      told: undefined,
    },
    {
      name: 'an ALLOW that matches, while a DENY is in force',
      policies: [
        policy('in-force', { action: 'DENY', rules: rules('client') }),
        policy('more', { ...dry, rules: rules('client') }),
      ],
      allowed: false,
      told: undefined,
    },
  ];
  for (const { name, policies, allowed, told } of cases)
    it(`in dry run, ${name}: ${told ?? 'nothing to tell'}`, async () => {
      const { ask, told: lines } = await setup(policies);
      expect(ask()).equal(allowed);
      const [would, keys] = told?.split('|') ?? [];
      expect(lines()).deep.equal(
        told === undefined
          ? []
          : [
              `info\tpolicy\tpolicies in dry run would ${would}\tconnection="${connection}" policies="${keys}"`,
            ],
      );
    });

  it('tells how the verdict came about: at level debug, or info where AUTHZ_POLICY_INFO_LOGGING says so', async () => {
    const policies = [policy('in-force', { rules: rules('client') })];
    for (const [value, level] of [
      ['false', 'debug'],
      ['true', 'info'],
    ] as const) {
      const { ask, lines } = await setup(policies, { AUTHZ_POLICY_INFO_LOGGING: value });
      ask();
      expect(lines).deep.equal([
        `${level}\tpolicy\tpolicies asked\tconnection="${connection}" verdict="allowed by shop/in-force" ` +
          'steps="ALLOW shop/in-force (namespace, enforced): matches"',
      ]);
    }
  });

  it('warns of policies that a workload names and nobody knows, once', async () => {
    const { ask, told } = await setup([], {}, ['shop/lost', 'shop/gone']);
    expect([ask(), ask()]).deep.equal([true, true]);
    expect(told()).deep.equal([
      'warn\tpolicy\ta workload names policies that are not known here, and is served without them\t' +
        'workload="shop/web" policies="shop/lost, shop/gone"',
    ]);
  });
});
