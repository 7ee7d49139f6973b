import { expect } from 'chai';

import { SandboxError } from '../errors.ts';
import type { Attachment, PluginAnswer } from './chain.ts';
import { CniChain, resultAddresses } from './chain.ts';
import type { NetworkConfigList } from './network-config.ts';
import { chooseConfigFile, isAtLeast, parseConfigList } from './network-config.ts';

const attachment: Attachment = {
  containerId: 'c1',
  netns: '/var/run/netns/x',
  ifname: 'eth0',
  namespace: 'ns',
  pod: 'p',
  uid: 'u',
};
const listOf = (cniVersion: string): NetworkConfigList =>
  parseConfigList(
    JSON.stringify({ name: 'net', cniVersion, plugins: [{ type: 'one', mtu: 9 }, { type: 'two' }] }),
    'f',
  );

interface Call {
  readonly type: string;
  readonly command: string;
  readonly input: Record<string, unknown>;
}

function recorded(answers: Readonly<Record<string, Partial<PluginAnswer>>> = {}): {
  calls: Call[];
  chain: CniChain;
} {
  const calls: Call[] = [];
  const chain = new CniChain((type, environment, input) => {
    const command = environment['CNI_COMMAND']!;
    calls.push({ type, command, input: JSON.parse(input) as Record<string, unknown> });
    const stdout = command === 'ADD' ? JSON.stringify({ by: type }) : '';
    return Promise.resolve({ exitCode: 0, stdout, stderr: '', ...answers[`${command} ${type}`] });
  });
  return { calls, chain };
}

describe('chain of CNI plugins', () => {
  it('hands the result of each ADD to the next, and the last one to each DEL, backwards', async () => {
    const { calls, chain } = recorded();
    const list = listOf('1.0.0');
    const result = await chain.add(list, attachment);
    expect(result).to.deep.equal({ by: 'two' });
    await chain.delete({ list, result }, attachment);
    expect(calls.map(({ command, type, input }) => [command, type, input['prevResult']])).to.deep.equal([
      ['ADD', 'one', undefined],
      ['ADD', 'two', { by: 'one' }],
      ['DEL', 'two', { by: 'two' }],
      ['DEL', 'one', { by: 'two' }],
    ]);
    expect(calls[0]!.input).to.deep.include({ name: 'net', cniVersion: '1.0.0', mtu: 9 });
  });

  it('asks STATUS and GC only where the version has them', async () => {
    const old = recorded();
    await old.chain.status(listOf('1.0.0'));
    await old.chain.collect(listOf('1.0.0'), []);
    expect(old.calls).to.deep.equal([]);
    const young = recorded();
    await young.chain.status(listOf('1.1.0'));
    await young.chain.collect(listOf('1.1.0'), [attachment]);
    expect(young.calls.map(({ command }) => command)).to.deep.equal(['STATUS', 'STATUS', 'GC', 'GC']);
    expect(young.calls[2]!.input['cni.dev/valid-attachments']).to.deep.equal([
      { containerID: 'c1', ifname: 'eth0' },
    ]);
  });

  it('tells the error of a plugin in its own words', async () => {
    const failing = (answer: Partial<PluginAnswer>): Promise<unknown> =>
      recorded({ 'ADD two': { exitCode: 1, ...answer } })
        .chain.add(listOf('1.0.0'), attachment)
        .then(
          () => 'done',
          (error: unknown) => (error instanceof SandboxError ? error.message : error),
        );
    expect(await failing({ stdout: '{"code":7,"msg":"no","details":"way"}' })).to.contain(
      '"two" failed (add): no; way',
    );
    expect(await failing({ stdout: '', stderr: 'panic: x\n' })).to.contain('panic: x');
    expect(await failing({ stdout: '', stderr: '' })).to.contain('exit code 1 without a word');
    expect(await failing({ exitCode: 0, stdout: '<html>' })).to.contain('printed no JSON');
  });

  it('asks every plugin to DEL, also after one that fails', async () => {
    const { calls, chain } = recorded({ 'DEL two': { exitCode: 1, stderr: 'stuck' } });
    const failure: unknown = await chain
      .delete({ list: listOf('1.0.0'), result: {} }, attachment)
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(SandboxError);
    expect(calls.map(({ type }) => type)).to.deep.equal(['two', 'one']);
  });

  it('gives the addresses of a result, IPv4 first, and wants one', () => {
    expect(resultAddresses({ ips: [{ address: 'fd00::2/64' }, { address: '10.0.0.2/24' }] })).to.deep.equal([
      '10.0.0.2',
      'fd00::2',
    ]);
    for (const hostile of [undefined, null, {}, { ips: 'x' }, { ips: [null, { address: 7 }] }])
      expect(() => resultAddresses(hostile)).to.throw(SandboxError, 'no address');
  });
});

describe('network configuration', () => {
  it('is the first file by name', () => {
    expect(chooseConfigFile(['20-b.conflist', '10-a.conf', '00-x.txt', 'README'])).to.equal('10-a.conf');
    expect(chooseConfigFile(['x.tmp'])).to.equal(undefined);
  });

  it('compares versions as numbers', () => {
    expect(isAtLeast('1.10.0', '1.9.0')).to.equal(true);
    expect(isAtLeast('0.4.0', '1.0.0')).to.equal(false);
  });

  for (const [title, text, problem] of [
    ['that is no JSON', '{', 'no JSON'],
    ['that is a list', '[]', 'no JSON object'],
    ['without a name', '{"plugins":[{"type":"a"}]}', 'name is missing'],
    ['without plugins', '{"name":"n","plugins":[]}', 'plugins is no list'],
    [
      'with a path for a plugin',
      '{"name":"n","plugins":[{"type":"a"},{"type":"../../bin/sh"}]}',
      'plugins[1].type',
    ],
  ] as const)
    it(`${title} is refused by name`, () => {
      expect(() => parseConfigList(text, '10-x.conflist')).to.throw(SandboxError, problem);
    });
});
