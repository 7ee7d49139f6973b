import { expect } from 'chai';
import type { LocalMatch, LocalPolicy } from '../harness/index.ts';
import { Call, reaches } from './call.ts';
import { enforce, useMesh } from './use-mesh.ts';

const PORT = 7000;
const OTHER_PORT = 7001;
/** A policy that denies an open connection has cut it by then. */
const CUT_WITHIN_MS = 1000;

describe('authorization policies', () => {
  const mesh = useMesh(
    {
      pods: { client: {}, guest: { workload: { namespace: 'guest' } }, server: {}, plain: { proxy: false } },
    },
    (started) => Promise.all([PORT, OTHER_PORT].map((port) => started.pod('server').serve('echo', { port }))),
  );
  let count = 0;
  /** A policy of the server's namespace, with a name that no other has had. */
  const policy = (
    action: 'Allow' | 'Deny',
    match: LocalMatch | undefined,
    more: Partial<LocalPolicy> = {},
  ): LocalPolicy => ({
    name: `policy-${(count += 1)}`,
    namespace: 'default',
    scope: 'Namespace',
    action,
    rules: match === undefined ? [] : [[[match]]],
    ...more,
  });
  const admitted = (name: string, port = PORT, ip = mesh().pod('server').ipv4): Promise<boolean> =>
    reaches(mesh().pod(name).netns, ip, port);
  /** Which of the three clients reach the server. */
  const whoReaches = async (port = PORT): Promise<string[]> => {
    const names = ['client', 'guest', 'plain'];
    const verdicts = await Promise.all(names.map((name) => admitted(name, port)));
    return names.filter((_, index) => verdicts[index]);
  };
  const everybody = ['client', 'guest', 'plain'];
  const principal = { exact: 'cluster.local/ns/default/sa/client' };

  it('without any, everybody is admitted', async () => {
    await enforce(mesh(), []);
    expect(await whoReaches()).to.deep.equal(everybody);
  });

  const cases: {
    readonly says: string;
    readonly match: () => LocalMatch;
    readonly who: readonly string[];
  }[] = [
    { says: 'a principal', match: () => ({ principals: [principal] }), who: ['client'] },
    {
      says: 'a prefix of principals',
      match: () => ({ principals: [{ prefix: 'cluster.local/ns/guest/' }] }),
      who: ['guest'],
    },
    { says: 'a namespace', match: () => ({ namespaces: [{ exact: 'guest' }] }), who: ['guest'] },
    {
      says: 'a source address',
      match: () => ({ sourceIps: [`${mesh().pod('plain').ipv4}/32`] }),
      who: ['plain'],
    },
    {
      says: 'whoever is of the mesh',
      match: () => ({ principals: [{ presence: true }] }),
      who: ['client', 'guest'],
    },
    { says: 'a port', match: () => ({ destinationPorts: [PORT] }), who: everybody },
    { says: 'another port', match: () => ({ destinationPorts: [OTHER_PORT] }), who: [] },
    {
      says: 'no client that there is',
      match: () => ({ principals: [{ exact: 'cluster.local/ns/default/sa/nobody' }] }),
      who: [],
    },
  ];
  for (const { says, match, who } of cases) {
    it(`ALLOW of ${says} admits no others`, async () => {
      await enforce(mesh(), [policy('Allow', match())]);
      expect(await whoReaches()).to.deep.equal(who);
    });
    it(`DENY of ${says} admits all others`, async () => {
      await enforce(mesh(), [policy('Deny', match())]);
      expect(await whoReaches()).to.deep.equal(everybody.filter((name) => !who.includes(name)));
    });
  }

  it('the port of a policy is that of the workload, and other ports go on', async () => {
    await enforce(mesh(), [policy('Deny', { destinationPorts: [PORT] })]);
    expect(await whoReaches(OTHER_PORT)).to.deep.equal(everybody);
    expect(await whoReaches()).to.deep.equal([]);
  });

  it('DENY goes before ALLOW', async () => {
    await enforce(mesh(), [
      policy('Allow', { namespaces: [{ exact: 'default' }, { exact: 'guest' }] }),
      policy('Deny', { namespaces: [{ exact: 'guest' }] }),
    ]);
    expect(await whoReaches()).to.deep.equal(['client']);
  });

  it('ALLOW without rules admits nobody', async () => {
    await enforce(mesh(), [policy('Allow', undefined)]);
    expect(await whoReaches()).to.deep.equal([]);
  });

  it('a policy of another namespace, or of no workload, does nothing', async () => {
    await enforce(mesh(), [
      policy('Allow', undefined, { namespace: 'guest' }),
      policy('Deny', { destinationPorts: [PORT] }, { scope: 'WorkloadSelector' }),
    ]);
    expect(await whoReaches()).to.deep.equal(everybody);
  });

  it('a dry run refuses nobody, and tells whom it would', async () => {
    const denying = policy('Deny', { principals: [{ presence: true }] }, { dryRun: true });
    await enforce(mesh(), [denying]);
    expect(await whoReaches()).to.deep.equal(everybody);
    const { proxy } = mesh().pod('server');
    for (const refused of ['ns/default/sa/client', 'ns/guest/sa/guest']) {
      const line = await proxy.waitForLine((text) => text.includes('in dry run') && text.includes(refused));
      expect(JSON.parse(line)).to.include({
        scope: 'policy',
        level: 'info',
        message: 'policies in dry run would deny a connection',
        policies: `default/${denying.name}`,
      });
    }
    expect(proxy.lines.filter((text) => text.includes('in dry run'))).to.have.length(2);
  });

  it('STRICT refuses plaintext and admits HBONE', async () => {
    const strict = policy(
      'Deny',
      { notPrincipals: [{ presence: true }] },
      { scope: 'Global', namespace: 'istio-system' },
    );
    await enforce(mesh(), [strict]);
    expect(await whoReaches()).to.deep.equal(['client', 'guest']);
    expect(await admitted('client', PORT, mesh().pod('server').ipv6)).to.equal(true);
    expect(await admitted('plain', PORT, mesh().pod('server').ipv6)).to.equal(false);
    await mesh()
      .pod('server')
      .waitForAccess({
        'src.addr': new RegExp(`^${mesh().pod('plain').ipv4.replaceAll('.', '\\.')}:`),
        'src.identity': undefined,
        reason: 'policy-denied',
        error: new RegExp(`istio-system/${strict.name}`),
      });
  });

  for (const [name, how] of [
    ['client', 'over HBONE'],
    ['plain', 'in plaintext'],
  ] as const)
    it(`a new policy cuts an open connection ${how}, and its end admits again`, async () => {
      await enforce(mesh(), []);
      const { pods } = mesh();
      using open = new Call(pods[name]!.netns, pods['server']!.ipv4, PORT);
      expect(await open.echo('before')).to.equal(true);
      const deny = policy('Deny', { destinationPorts: [PORT] });
      mesh().setPolicies([deny]);
      await open.endsWithin(CUT_WITHIN_MS);
      const entry = await pods['server']!.waitForAccess({
        reason: 'policy-changed',
        error: new RegExp(deny.name),
      });
      expect(entry).to.include({ level: 'error', direction: 'inbound', bytes_sent: 6, bytes_recv: 6 });
      await enforce(mesh(), [deny]);
      expect(await admitted(name)).to.equal(false);
      await enforce(mesh(), []);
      expect(await admitted(name)).to.equal(true);
    });

  it('a workload that comes to name a policy of old cuts its open connections in plaintext, and no tunnel', async () => {
    const strict = policy(
      'Deny',
      { notPrincipals: [{ presence: true }] },
      { scope: 'WorkloadSelector', namespace: 'istio-system' },
    );
    await enforce(mesh(), [strict]);
    const { pods } = mesh();
    const { ipv4 } = pods['server']!;
    using plain = new Call(pods['plain']!.netns, ipv4, PORT);
    using tunnelled = new Call(pods['client']!.netns, ipv4, PORT);
    expect([await plain.echo('before'), await tunnelled.echo('before')]).to.deep.equal([true, true]);
    mesh().setWorkload('server', { authorizationPolicies: [`istio-system/${strict.name}`] });
    await plain.endsWithin(CUT_WITHIN_MS);
    expect(await tunnelled.echo('after')).to.equal(true);
    expect(await admitted('plain')).to.equal(false);
    mesh().setWorkload('server');
    await enforce(mesh(), []);
    expect(await admitted('plain')).to.equal(true);
  });

  it('a workload that comes to name a policy refuses the next call of a client whose HBONE connection goes on', async () => {
    const deny = policy('Deny', { destinationPorts: [PORT] }, { scope: 'WorkloadSelector' });
    await enforce(mesh(), [deny]);
    const { pods } = mesh();
    const { ipv4 } = pods['server']!;
    using open = new Call(pods['client']!.netns, ipv4, OTHER_PORT);
    expect(await open.echo('before')).to.equal(true);
    expect(await admitted('client')).to.equal(true);
    using cut = new Call(pods['client']!.netns, ipv4, PORT);
    expect(await cut.echo('before')).to.equal(true);
    mesh().setWorkload('server', { authorizationPolicies: [`default/${deny.name}`] });
    await cut.endsWithin(CUT_WITHIN_MS);
    expect(await admitted('client')).to.equal(false);
    expect(await open.echo('after')).to.equal(true);
    mesh().setWorkload('server');
    await enforce(mesh(), []);
    expect(await admitted('client')).to.equal(true);
  });

  it('a new policy leaves the connections that it admits alone', async () => {
    await enforce(mesh(), []);
    const { pods } = mesh();
    using open = new Call(pods['client']!.netns, pods['server']!.ipv4, PORT);
    expect(await open.echo('before')).to.equal(true);
    await enforce(mesh(), [policy('Allow', { principals: [principal] })]);
    expect(await open.echo('after')).to.equal(true);
    expect(await open.finish()).to.equal('eof');
  });
});
