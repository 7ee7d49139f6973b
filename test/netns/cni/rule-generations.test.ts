import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { RuleGenerations } from '@ambient/cni/agent';
import { NetworkNamespace, openDescriptors } from '@ambient/linux';

describe('generations of rules', () => {
  let before: number;
  let pods: Map<string, { readonly netns: NetworkNamespace }>;
  let generations: RuleGenerations;

  beforeEach(() => {
    NetworkNamespace.current().enter(() => undefined); // opens what a thread keeps
    before = openDescriptors().length;
    pods = new Map(['a', 'b'].map((uid) => [uid, { netns: NetworkNamespace.create() }]));
    generations = new RuleGenerations(pods, (error) => {
      throw error;
    });
  });

  afterEach(() => {
    generations[Symbol.dispose]();
    for (const { netns } of pods.values()) netns.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(before);
  });

  function run(uid: string, program: string, args: readonly string[], input = ''): void {
    const { status, stderr } = pods.get(uid)!.netns.enter(() => spawnSync(program, args, { input }));
    expect(status, stderr.toString()).to.equal(0);
  }

  const heard = (): (string | undefined)[] => {
    generations.hear();
    return [...pods.keys()].map((uid) => generations.heard(uid));
  };

  it('stay while nothing changes', () => {
    const first = heard();
    expect(first).to.not.include(undefined);
    expect(heard()).to.deep.equal(first);
  });

  const changes: readonly (readonly [string, string, readonly string[], string?])[] = [
    ['a table', 'nft', ['add table inet t']],
    ['a rule by iptables-nft', 'iptables-nft', ['-t', 'nat', '-A', 'OUTPUT', '-j', 'RETURN']],
    ['a routing rule', 'ip', ['rule', 'add', 'fwmark', '7', 'lookup', '100']],
    [
      'a route of the mesh’s table',
      'ip',
      ['route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo', 'table', '100'],
    ],
    [
      'more than the kernel keeps messages for',
      'nft',
      ['-f', '-'],
      Array.from({ length: 4000 }, (_, i) => `add table inet t${i}\n`).join(''),
    ],
  ];
  for (const [title, program, args, input] of changes)
    it(`change, of the pod alone, with ${title}`, () => {
      run('a', 'ip', ['link', 'set', 'lo', 'up']);
      const [a, b] = heard();
      run('a', program, args, input);
      expect(generations.heard('a'), 'before it was listened').to.equal(a);
      const [changed, same] = heard();
      expect(changed).to.not.equal(a);
      expect(same).to.equal(b);
      expect(heard()).to.deep.equal([changed, b]);
    });

  it('are asked for as they are, whatever was heard', () => {
    const [a] = heard();
    run('a', 'nft', ['add table inet t']);
    const asked = generations.of('a');
    expect(asked).to.not.equal(a);
    expect(heard()[0], 'what is known already is no change').to.equal(asked);
  });

  it('do not change with routes of others', () => {
    run('a', 'ip', ['link', 'set', 'lo', 'up']);
    const first = heard();
    run('a', 'ip', ['route', 'add', 'local', '192.0.2.0/24', 'dev', 'lo', 'table', '7']);
    expect(heard()).to.deep.equal(first);
  });

  it('follow a pod into another namespace, and forget it when it is gone', () => {
    run('a', 'nft', ['add table inet t']);
    const [a] = heard();
    pods.get('a')!.netns.close();
    pods.set('a', { netns: NetworkNamespace.create() });
    expect(heard()[0]).to.not.equal(a);
    pods.get('a')!.netns.close();
    pods.delete('a');
    generations.prune();
    expect(generations.heard('a')).to.equal(undefined);
  });
});
