import { expect } from 'chai';
import { interfaceAddresses, readAddress } from './interface-addresses.ts';
import { NetworkNamespace } from './namespace.ts';
import { runTool } from './tool.ts';

describe('addresses of interfaces', () => {
  // Laid out by hand after linux/if_addr.h and linux/rtnetlink.h.
  const header = (family: string, index: string): string => `${family}180000${index}000000`;
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['IPv4', header('02', '02') + '08000100' + '0a500001' + '08000200' + '0a500001', '10.80.0.1'],
    [
      'its own end of a link between two',
      header('02', '02') + '080001000a500002' + '080002000a500001',
      '10.80.0.1',
    ],
    ['IPv6', header('0a', '02') + '14000100' + 'fd800000000000000000000000000001', 'fd80::1'],
    ['not that of loopback', header('02', '01') + '080001007f000001' + '080002007f000001', undefined],
    ['none without an address', header('02', '02'), undefined],
    ['none that is too short', header('0a', '02') + '08000100' + '0a500001', undefined],
    ['none of another family', header('1d', '02') + '080001000a500001', undefined],
    ['none of half a header', '0218', undefined],
  ];
  for (const [title, hex, expected] of cases)
    it(`are read: ${title}`, () => expect(readAddress(Buffer.from(hex, 'hex'))).to.equal(expected));

  it('are told of interfaces that are down, or have no carrier, too', async () => {
    using namespace = NetworkNamespace.create();
    const lines = [
      'link set lo up',
      'link add eth0 type veth peer name far0',
      'addr add 10.80.0.1/24 dev eth0',
      'addr add fd80::1/64 dev eth0 nodad',
      // Its peer is down.
      'link add eth1 type veth peer name far1',
      'link set eth1 up',
      'addr add 10.80.1.1/32 dev eth1',
    ];
    const outcome = await runTool(['ip', '-batch', '-'], { namespace, input: lines.join('\n') });
    expect(outcome.kind).to.equal('done');
    expect(namespace.enter(interfaceAddresses)).to.have.members(['10.80.0.1', 'fd80::1', '10.80.1.1']);
  });
});
