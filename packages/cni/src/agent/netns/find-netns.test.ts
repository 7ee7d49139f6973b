import { expect } from 'chai';
import { podUidOf, startTicksOf } from './find-netns.ts';

const uid = '0a1b2c3d-1111-2222-3333-444455556666';

describe('the pod of a process', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    [
      'systemd',
      `0::/kubepods.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-ab.scope`,
      uid,
    ],
    ['cgroupfs, version 1', `5:cpu:/kubepods/besteffort/pod${uid}/ab\n4:mem:/kubepods/pod${uid}/ab`, uid],
    [
      'a node inside a container',
      `0::/kubepods/pod99999999-1111-2222-3333-444455556666/x/kubepods/pod${uid}/ab`,
      uid,
    ],
    [
      'a static pod',
      '0::/kubepods/pod0123456789abcdef0123456789abcdef/ab',
      '0123456789abcdef0123456789abcdef',
    ],
    ['no pod', '0::/system.slice/podman.service', undefined],
    ['a process that is gone', '', undefined],
  ];
  for (const [title, cgroup, expected] of cases)
    it(`by its cgroup: ${title}`, () => expect(podUidOf(cgroup)).to.equal(expected));

  it('started when /proc/PID/stat says, whatever its name', () => {
    const fields = Array.from({ length: 30 }, (_, i) => String(i + 3));
    expect(startTicksOf(`12 (a) b (c) ${fields.join(' ')}`)).to.equal(22);
    expect(startTicksOf('nonsense')).to.equal(undefined);
    expect(startTicksOf(undefined)).to.equal(undefined);
  });
});
