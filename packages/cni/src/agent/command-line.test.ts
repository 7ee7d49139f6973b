import { expect } from 'chai';
import { parseCommandLine } from './command-line.ts';

describe('command line of the node agent', () => {
  it('runs, tells its version, and compiles for images', () => {
    expect(parseCommandLine([]).kind).to.equal('run');
    expect(parseCommandLine(['-v']).kind).to.equal('version');
    expect(parseCommandLine(['compile']).kind).to.equal('compile');
  });

  it("takes the arguments of Istio's charts", () => {
    const overrides = (...args: readonly string[]): unknown => {
      const command = parseCommandLine(args);
      return command.kind === 'run' ? command.overrides : command;
    };
    expect(overrides()).to.deep.equal({});
    expect(overrides('--log_as_json')).to.deep.equal({ LOG_FORMAT: 'json' });
    expect(overrides('--log_output_level=debug')).to.deep.equal({ LOG_LEVEL: 'debug' });
    expect(overrides('--log_output_level', 'default:info,cni-plugin:debug,klog:none')).to.deep.equal({
      LOG_LEVEL: 'info',
      PLUGIN_LOG_LEVEL: 'debug',
    });
    expect(overrides('--log_output_level=all:none')).to.deep.equal({
      LOG_LEVEL: 'off',
      PLUGIN_LOG_LEVEL: 'error',
    });
  });

  it('names an argument that it does not know', () => {
    const command = parseCommandLine(['--compile']);
    expect(command.kind).to.equal('wrong');
    expect(command).to.have.property('problem').that.contains('--compile');
  });
});
