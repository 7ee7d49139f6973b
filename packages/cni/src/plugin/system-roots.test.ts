import { expect } from 'chai';
import { systemRoots } from './system-roots.ts';

describe('system roots', () => {
  const reader =
    (present: Readonly<Record<string, string>>) =>
    (path: string): string => {
      if (present[path] === undefined) throw new Error(`no ${path}`);
      return present[path];
    };

  it("are those of the distribution's own file", () => {
    expect(systemRoots(reader({ '/etc/pki/tls/certs/ca-bundle.crt': 'fedora' }))).to.equal('fedora');
    const both = { '/etc/ssl/certs/ca-certificates.crt': 'debian', '/etc/ssl/cert.pem': 'alpine' };
    expect(systemRoots(reader(both))).to.equal('debian');
  });

  it('are unknown where there is no such file', () => {
    expect(systemRoots(reader({}))).to.equal(undefined);
  });
});
