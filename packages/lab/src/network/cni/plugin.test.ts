import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

import { parsePrefix } from '../addresses.ts';
import { AddressPool } from './address-pool.ts';
import { CniError } from './errors.ts';
import { runPlugin } from './plugin.ts';

describe('the CNI plugin lab-bridge', () => {
  let folder: string;
  let ran: { readonly argv: readonly string[]; readonly input: string }[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lab-bridge-'));
    ran = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const environment = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/proc/7/ns/net',
    CNI_IFNAME: 'eth0',
  };
  const config = () => ({
    cniVersion: '1.1.0',
    name: 'lab',
    type: 'lab-bridge',
    mtu: 1400,
    nodeAddresses: ['172.30.0.11', 'fd30::11'],
    ipam: {
      type: 'host-local',
      ranges: [[{ subnet: '10.244.1.0/24' }], [{ subnet: 'fd44:0:0:1::/64' }]],
      dataDir: folder,
    },
  });

  function call(
    variables: Readonly<Record<string, string>> = {},
    input: unknown = config(),
    fail: (argv: readonly string[]) => void = () => undefined,
  ) {
    const all: Readonly<Record<string, string>> = { ...environment, ...variables };
    const { output, exitCode } = runPlugin({
      variable: (name) => all[name],
      readInput: () => (typeof input === 'string' ? input : JSON.stringify(input)),
      run: (argv, text = '') => {
        ran.push({ argv, input: text });
        fail(argv);
        return '';
      },
    });
    return { exitCode, result: output === '' ? undefined : (JSON.parse(output) as Record<string, unknown>) };
  }

  it('joins a pod to its node by a link of its own', () => {
    const { exitCode, result } = call();
    expect(exitCode).to.equal(0);
    expect(result?.['ips']).to.eql([
      { address: '10.244.1.2/32', gateway: '10.244.1.1', interface: 1 },
      { address: 'fd44:0:0:1::2/128', gateway: 'fd44:0:0:1::1', interface: 1 },
    ]);
    expect(ran.map(({ argv }) => argv.join(' '))).to.eql([
      'ip -batch -',
      'nsenter --net=/proc/7/ns/net ip -batch -',
    ]);
    const [node, pod] = ran.map(({ input }) => input.trimEnd().split('\n'));
    expect(node!.slice(1).map((line) => line.replace(/veth\w+/, 'VETH'))).to.eql([
      'addr add 10.244.1.1/32 dev VETH',
      'addr add fd44:0:0:1::1/128 dev VETH nodad',
      'link set VETH up',
      'route add 10.244.1.2/32 dev VETH src 172.30.0.11',
      'route add fd44:0:0:1::2/128 dev VETH src fd30::11',
    ]);
    expect(node![0]).to.match(
      /^link add veth\w{10} mtu 1400 address 0a:58(:\w\w){4} type veth peer name eth0 mtu 1400 address 0a:58(:\w\w){4} netns \/proc\/7\/ns\/net$/,
    );
    expect(pod).to.include.members([
      'addr add 10.244.1.2/32 dev eth0',
      'route add default via 10.244.1.1 dev eth0',
      'route add default via fd44:0:0:1::1 dev eth0',
    ]);
  });

  it('takes everything back when the second half fails', () => {
    const { exitCode, result } = call({}, config(), ([program]) => {
      if (program === 'nsenter') throw new CniError(101, 'no such namespace', 'see the pod');
    });
    expect(exitCode).to.equal(1);
    expect(result).to.include({ cniVersion: '1.1.0', code: 101, msg: 'no such namespace' });
    expect(ran.at(-1)!.argv.slice(0, 3)).to.eql(['ip', 'link', 'del']);
    expect(new AddressPool(folder).of('c1/eth0')).to.eql([]);
  });

  it('answers VERSION, STATUS and DEL of what it does not know', () => {
    expect(call({ CNI_COMMAND: 'VERSION' }).result).to.eql({
      cniVersion: '1.1.0',
      supportedVersions: ['1.0.0', '1.1.0'],
    });
    expect(call({ CNI_COMMAND: 'STATUS' }).exitCode).to.equal(0);
    const gone = (): never => {
      throw new Error('Cannot find device "veth1"');
    };
    expect(call({ CNI_COMMAND: 'DEL', CNI_NETNS: '' }, config(), gone).exitCode).to.equal(0);
  });

  it('gives back what belongs to nobody any more (GC)', () => {
    call();
    call({ CNI_CONTAINERID: 'c2' });
    const valid = { 'cni.dev/valid-attachments': [{ containerID: 'c2', ifname: 'eth0' }] };
    expect(call({ CNI_COMMAND: 'GC' }, { ...config(), ...valid }).exitCode).to.equal(0);
    const pool = new AddressPool(folder);
    expect(pool.of('c1/eth0')).to.eql([]);
    expect(pool.of('c2/eth0')).to.have.length(2);
  });

  const hostile: readonly [string, Readonly<Record<string, string>>, unknown, number, string][] = [
    ['no command', { CNI_COMMAND: '' }, undefined, 4, 'CNI_COMMAND'],
    ['no namespace', { CNI_NETNS: '' }, undefined, 4, 'CNI_NETNS'],
    ['a container that climbs out', { CNI_CONTAINERID: '../../etc' }, undefined, 4, 'CNI_CONTAINERID'],
    ['an interface that is an option', { CNI_IFNAME: '-all' }, undefined, 4, 'CNI_IFNAME'],
    ['a namespace with a second command', { CNI_NETNS: '/x\nlink del eth0' }, undefined, 4, 'CNI_NETNS'],
    ['no JSON', {}, '{', 6, 'JSON'],
    ['a list', {}, '[]', 6, 'object'],
    ['an old version', {}, { cniVersion: '0.2.0' }, 1, '0.2.0'],
    ['no addresses', {}, { cniVersion: '1.1.0' }, 7, 'ipam.type'],
    [
      'a range that is none',
      {},
      {
        cniVersion: '1.1.0',
        ipam: { type: 'host-local', dataDir: '/x', ranges: [[{ subnet: '10.0.0.0' }]] },
      },
      7,
      'ipam.ranges[0][0].subnet',
    ],
  ];
  for (const [name, variables, input, code, named] of hostile)
    it(`refuses ${name}, and says what`, () => {
      const { exitCode, result } = call(variables, input ?? config());
      expect(exitCode).to.equal(1);
      expect(result).to.include({ code });
      expect(result?.['msg']).to.include(named);
      expect(ran).to.eql([]);
    });
});

describe("the addresses of a node's pods", () => {
  const range = parsePrefix('10.244.1.0/29');
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lab-pool-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('go round, so that an address rests, and end', () => {
    const pool = new AddressPool(folder);
    const take = (owner: string): string => pool.take(range, owner);
    expect(take('a')).to.equal('10.244.1.2');
    pool.release('a');
    expect(['b', 'c', 'd', 'e'].map(take)).to.eql(['10.244.1.3', '10.244.1.4', '10.244.1.5', '10.244.1.6']);
    expect(take('f')).to.equal('10.244.1.2');
    expect(() => take('g')).to.throw(CniError, /no address is left in 10.244.1.0\/29/);
    pool.release('d');
    expect(take('g')).to.equal('10.244.1.5');
  });

  it('are found by their owner, whatever else lies in the directory', () => {
    const pool = new AddressPool(folder);
    pool.take(range, 'a/eth0');
    writeFileSync(join(folder, 'last-v4'), 'garbage');
    writeFileSync(join(folder, 'README'), '');
    expect(pool.of('a/eth0')).to.eql(['10.244.1.2']);
    expect(pool.take(range, 'b/eth0')).to.equal('10.244.1.3');
    pool.release('b/eth0');
    pool.release('b/eth0');
    expect(readdirSync(folder).sort()).to.eql(['10.244.1.2', 'README', 'last-v4']);
    expect(new AddressPool(join(folder, 'none')).of('a/eth0')).to.eql([]);
  });
});
