import { expect } from 'chai';
import { SettingsError } from '../settings/schema.ts';
import { settingsFrom } from '../settings/sources.ts';
import { logLevels, logSettings } from './log-settings.ts';

describe('settings of the log', () => {
  it('are plain text from level info on unless told otherwise', () => {
    expect(logSettings.load(settingsFrom({}))).to.deep.equal({ levels: 'info', format: 'plain' });
    expect(logSettings.load(settingsFrom({ LOG_LEVEL: 'warn,api=debug', LOG_FORMAT: 'json' }))).to.deep.equal(
      { levels: 'warn,api=debug', format: 'json' },
    );
  });

  it('name a level that there is not, so that the start stops with a remedy', () => {
    expect(() => logSettings.load(settingsFrom({ LOG_LEVEL: 'api=loud' })))
      .to.throw(SettingsError)
      .with.property('message')
      .that.contains('LOG_LEVEL="api=loud"')
      .and.contains('SCOPE=LEVEL');
  });

  it('know the root of the scopes where a program has one', () => {
    expect(logLevels('ztunnel').parse('ztunnel::proxy=debug')).to.equal('ztunnel::proxy=debug');
    expect(() => logLevels('ztunnel').parse('ztunnel::proxy=loud')).to.throw('levels such as');
  });
});
