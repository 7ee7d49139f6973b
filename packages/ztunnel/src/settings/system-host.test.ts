import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemSettingsHost } from './system-host.ts';

describe('systemSettingsHost', () => {
  it('reads files, takes absent ones for unset, and reports others', () => {
    const dir = mkdtempSync(join(tmpdir(), 'settings-host-'));
    try {
      const path = join(dir, 'mesh');
      writeFileSync(path, 'defaultConfig: {}');
      expect(systemSettingsHost.readFile(path)).equal('defaultConfig: {}');
      expect(systemSettingsHost.exists(path)).equal(true);
      expect(systemSettingsHost.readFile(join(dir, 'absent'))).equal(undefined);
      expect(systemSettingsHost.readFile(join(path, 'below-a-file'))).equal(undefined);
      expect(() => systemSettingsHost.readFile(dir)).throw('EISDIR');
      expect(systemSettingsHost.cpuCount).greaterThan(0);
      expect(systemSettingsHost.descriptorLimit).greaterThan(100);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
