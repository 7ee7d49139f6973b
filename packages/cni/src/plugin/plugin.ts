import { parseConfig, supportedVersions, versionOf } from './config.ts';
import { readCall } from './environment.ts';
import { CniError, cniCodes } from './errors.ts';

/** What the plugin needs of the world. */
export interface PluginHost {
  /** One variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  /** All of standard input. */
  readonly readInput: () => string;
  readonly sleep: (ms: number) => Promise<unknown>;
}

export interface PluginOutcome {
  /** For standard output; empty: nothing. */
  readonly output: string;
  readonly exitCode: number;
}

/**
 * One call by a container runtime, CNI 1.1. ADD captures pods that belong to the mesh and hands the result of the plugins
 * before on as it is. All else succeeds without doing anything: a pod's rules go with its namespace, and a plugin that
 * reported itself as not ready without its agent would keep the agent from starting.
 */
export async function runPlugin(host: PluginHost): Promise<PluginOutcome> {
  let version = supportedVersions.at(-1)!;
  try {
    const call = readCall(host.variable);
    const input = readInput(host);
    version = versionOf(input);
    switch (call.command) {
      case 'VERSION':
        return succeeded({ cniVersion: version, supportedVersions });
      case 'ADD': {
        // Only here: what talks to others takes a third of the start, and runtimes ask for the status all the time.
        const { add } = await import('./add.ts');
        return succeeded(await add(call, parseConfig(input), host.sleep));
      }
      case 'DEL':
      case 'CHECK':
      case 'GC':
      case 'STATUS':
        return { output: '', exitCode: 0 };
    }
  } catch (error) {
    return failed(version, error);
  }
}

function readInput(host: PluginHost): string {
  try {
    return host.readInput();
  } catch (cause) {
    throw new CniError(cniCodes.ioFailure, 'cannot read standard input', 'see the container runtime', {
      cause,
    });
  }
}

function succeeded(result: object): PluginOutcome {
  return { output: JSON.stringify(result), exitCode: 0 };
}

function failed(cniVersion: string, error: unknown): PluginOutcome {
  const { code, message, details } =
    error instanceof CniError
      ? error
      : { code: cniCodes.ioFailure, message: describe(error), details: 'a defect of istio-cni' };
  return { output: JSON.stringify({ cniVersion, code, msg: message, details }), exitCode: 1 };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
