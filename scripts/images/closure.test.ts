import { expect } from 'chai';
import { join } from 'node:path';
import { closureOf, readLockfile } from './closure.ts';
import type { Lockfile } from './closure.ts';

const lock: Lockfile = {
  packages: {
    'packages/app': { dependencies: { '@own/base': '1', outer: '1' } },
    'packages/base': { dependencies: { inner: '1' } },
    'node_modules/@own/base': { resolved: 'packages/base', link: true },
    'node_modules/outer': { dependencies: { inner: '2' }, optionalDependencies: { absent: '1' } },
    'node_modules/outer/node_modules/inner': {},
    'node_modules/inner': {
      peerDependencies: { needed: '1', wanted: '1' },
      peerDependenciesMeta: { wanted: { optional: true } },
    },
    'node_modules/needed': {},
    'node_modules/other': {},
  },
};

describe('what an image is made of', () => {
  it('is what a part needs at run time, each from where Node finds it', () => {
    expect(closureOf(lock, 'packages/app')).to.deep.equal({
      own: ['packages/app', 'packages/base'],
      installed: [
        'node_modules/inner',
        'node_modules/needed',
        'node_modules/outer',
        'node_modules/outer/node_modules/inner',
      ],
    });
  });

  it('names what is missing', () => {
    const packages = { 'packages/app': { dependencies: { gone: '1' } } };
    expect(() => closureOf({ packages }, 'packages/app')).to.throw('packages/app depends on gone');
  });

  it('has none of what tests need', () => {
    const locked = readLockfile(join(import.meta.dirname, '../..'));
    for (const part of ['ztunnel', 'cni', 'control-plane']) {
      const { own, installed } = closureOf(locked, `packages/${part}`);
      expect(own).to.include(`packages/${part}`).and.not.include('packages/testkit');
      expect(installed).to.not.include.members(['node_modules/mocha']);
      expect(installed).to.not.include.members(['node_modules/typescript']);
    }
  });
});
