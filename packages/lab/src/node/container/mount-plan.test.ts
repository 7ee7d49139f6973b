import { expect } from 'chai';

import type { MachineFiles, Mount } from './mount-plan.ts';
import { mountPlan, resolveTarget } from './mount-plan.ts';
import { containerScript, quoted } from './shell-script.ts';

/** A machine of directories (true), files (false) and links (text). */
function machineOf(files: Readonly<Record<string, boolean | string>>): MachineFiles {
  return {
    kind: (path) => {
      const found = files[path];
      return found === undefined ? 'none' : typeof found === 'string' ? 'link' : found ? 'directory' : 'file';
    },
    link: (path) => String(files[path]),
    entries: () =>
      Object.keys(files)
        .filter((path) => path.lastIndexOf('/') === 0)
        .map((path) => path.slice(1)),
    isClosed: (path) => path === '/root',
  };
}

const machine = machineOf({
  '/usr': true,
  '/usr/share': true,
  '/bin': 'usr/bin',
  '/root': true,
  '/root/program': true,
  '/run': true,
  '/etc': true,
  '/etc/hosts': false,
  '/etc/loop': 'loop',
  '/etc/up': '../../../../usr',
  '/var': true,
  '/var/run': '/run',
});
const bind = (source: string, target: string, more: Partial<Mount> = {}): Mount => ({
  source,
  target,
  file: false,
  readOnly: false,
  ...more,
});

describe('the root of a container', () => {
  it('is that of the machine where every mount has its place', () => {
    expect(
      mountPlan(
        [bind('/v/hosts', '/etc/hosts', { file: true }), bind('/v/share', '/usr/share/', { readOnly: true })],
        machine,
      ),
    ).to.deep.equal([
      { do: 'bind-tree', source: '/', target: '' },
      { do: 'bind', source: '/v/hosts', target: '/etc/hosts', readOnly: false },
      { do: 'bind', source: '/v/share', target: '/usr/share', readOnly: true },
    ]);
  });

  it('is private, with what the machine has, where a mount has no place', () => {
    const steps = mountPlan([bind('/v/data', '/data/deep')], machine);
    expect(steps[0]).to.deep.equal({ do: 'tmpfs', target: '', mode: '755' });
    expect(steps).to.deep.include({ do: 'link', to: 'usr/bin', target: '/bin' });
    expect(steps).to.deep.include({ do: 'bind-tree', source: '/usr', target: '/usr' });
    expect(steps.slice(-3)).to.deep.equal([
      { do: 'mkdir', target: '/data' },
      { do: 'mkdir', target: '/data/deep' },
      { do: 'bind', source: '/v/data', target: '/data/deep', readOnly: false },
    ]);
  });

  it('is private where a mount would be out of reach of other users', () => {
    const steps = mountPlan([bind('/root/program', '/root/program', { readOnly: true })], machine);
    expect(steps).to.deep.include({ do: 'mkdir', target: '/root' });
    expect(steps).to.deep.include({ do: 'bind-tree', source: '/root', target: '/.machine/root' });
    expect(steps.at(-1)).to.deep.equal({
      do: 'bind',
      source: '/root/program',
      target: '/root/program',
      readOnly: true,
    });
  });

  it('never has anything made in a directory of the machine', () => {
    for (const target of ['/etc/app', '/usr/share/a/b', '/opt/cni/bin', '/new']) {
      // By place, whether what is there is the container's own.
      const places = new Map<string, boolean>();
      for (const step of mountPlan([bind('/v', target)], machine)) {
        if (step.do === 'tmpfs') places.set(step.target, true);
        else if (step.do === 'bind-tree' || step.do === 'bind') places.set(step.target, false);
        else {
          const around = [...places.keys()].filter((place) => step.target.startsWith(`${place}/`));
          const nearest = around.sort((x, y) => y.length - x.length)[0];
          const isOwn = step.do === 'link-entries' || (nearest !== undefined && places.get(nearest) === true);
          expect(isOwn, `${target}: ${step.do} ${step.target}`).to.equal(true);
        }
      }
    }
  });

  it('follows links of the machine to where a mount is to be, and no further than the root', () => {
    expect(resolveTarget('/var/run/secrets/x', machine)).to.equal('/run/secrets/x');
    expect(resolveTarget('/etc/up/../../../share', machine)).to.equal('/share');
    expect(resolveTarget('/etc/loop/a', machine)).to.equal('/etc/loop/a');
    expect(() => mountPlan([bind('/v', '/etc/../..')], machine)).to.throw(RangeError);
  });

  it('makes places for mounts within a mount, after it', () => {
    const steps = mountPlan(
      [{ ...bind('', '/run'), source: undefined }, bind('/v/t', '/var/run/secrets/t')],
      machine,
    );
    expect(steps).to.deep.equal([
      { do: 'bind-tree', source: '/', target: '' },
      { do: 'tmpfs', target: '/run', mode: '1777' },
      { do: 'mkdir', target: '/run/secrets' },
      { do: 'mkdir', target: '/run/secrets/t' },
      { do: 'bind', source: '/v/t', target: '/run/secrets/t', readOnly: false },
    ]);
  });

  it('takes a later mount over an earlier one at the same place', () => {
    const steps = mountPlan([bind('/v/one', '/usr/share'), bind('/v/two', '/usr/share')], machine);
    expect(steps.filter((step) => step.do === 'bind').map(({ source }) => source)).to.deep.equal(['/v/two']);
  });
});

describe('the program of a container', () => {
  it('quotes whatever a pod may write', () => {
    expect(quoted("a'b $(reboot) `x`\n")).to.equal("'a'\\''b $(reboot) `x`\n'");
    expect(quoted('')).to.equal("''");
    const script = containerScript({
      steps: [{ do: 'mkdir', target: "/a'; reboot; '" }],
      stage: '/s',
      readOnlyRoot: true,
      ownProc: true,
      workingDirectory: '$(reboot)',
      user: { uid: 1, gid: 2 },
      environment: new Map([['A', '`reboot`']]),
      command: ['echo', '; reboot'],
    });
    expect(script).to.contain(`mkdir -p "$root"'/a'\\''; reboot; '\\'''`);
    expect(script).to.contain("cd '$(reboot)'");
    expect(script).to.contain(
      "--reuid=1 --regid=2 --clear-groups --pdeathsig=KILL -- env -i 'A=`reboot`' echo '; reboot'",
    );
  });
});
