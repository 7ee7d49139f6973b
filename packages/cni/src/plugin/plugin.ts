import { join } from 'node:path';
import { decideEnrolment } from '../eligibility.ts';
import type { Enrolment } from '../eligibility.ts';
import { agentFiles, requestCapture, shipLogs } from './agent-client.ts';
import { addRequest } from './agent-request.ts';
import type { PluginConfig, PreviousResult } from './config.ts';
import { parseConfig, supportedVersions, versionOf } from './config.ts';
import type { Call } from './environment.ts';
import { readCall } from './environment.ts';
import { CniError, cniCodes } from './errors.ts';
import { readEnrolmentFacts } from './kube-reader.ts';
import { PluginLog } from './plugin-log.ts';

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

/** Pods of the agent's own DaemonSet begin so: who has to start for others to start is never held up. */
const AGENT_POD_PREFIX = 'istio-cni-node-';
const RETRY_INTERVAL_MS = 1000;
const ATTEMPTS = 2;
const PATIENT_ATTEMPTS = 30;

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
      case 'ADD':
        return succeeded(await add(call, parseConfig(input), host.sleep));
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

async function add(call: Call, config: PluginConfig, sleep: PluginHost['sleep']): Promise<PreviousResult> {
  const log = new PluginLog(config.logLevel);
  try {
    const result = config.prevResult;
    if (result === undefined)
      throw new CniError(
        cniCodes.invalidConfig,
        'prevResult is missing: this plugin gives a pod no network',
        'put its entry last in the conflist, behind that of the network plugin',
      );
    await capture(call, config, result, log, sleep);
    return result;
  } catch (error) {
    log.write('error', `${call.pod?.namespace}/${call.pod?.name}: ${describe(error)}`);
    throw error;
  } finally {
    await shipLogs(config.agentRunDirectory, log.lines);
  }
}

async function capture(
  { pod, netns }: Call,
  config: PluginConfig,
  result: PreviousResult,
  log: PluginLog,
  sleep: PluginHost['sleep'],
): Promise<void> {
  if (pod === undefined || !config.ambientEnabled) return;
  if (pod.namespace === config.agentNamespace && pod.name.startsWith(AGENT_POD_PREFIX)) return;
  if (config.excludedNamespaces.includes(pod.namespace)) return;
  const enrolment = await decide(pod, config, log, sleep);
  const name = `${pod.namespace}/${pod.name}`;
  if (!enrolment.enrolled) return log.write('debug', `${name}: not for the mesh, ${enrolment.reason}`);
  await requestCapture(config.agentRunDirectory, addRequest(netns, pod, result));
  log.write('info', `${name}: captured`);
}

/** A pod about which nothing can be known is not started: it would be outside the mesh without anybody noticing. */
async function decide(
  pod: NonNullable<Call['pod']>,
  config: PluginConfig,
  log: PluginLog,
  sleep: PluginHost['sleep'],
): Promise<Enrolment> {
  const kubeconfig = join(config.agentRunDirectory, agentFiles.kubeconfig);
  const attempts = config.retryDetection ? PATIENT_ATTEMPTS : ATTEMPTS;
  for (let attempt = 1; ; attempt++) {
    try {
      return decideEnrolment(await readEnrolmentFacts(kubeconfig, pod), config);
    } catch (error) {
      if (attempt === attempts) throw error;
      log.write(
        'warn',
        `${pod.namespace}/${pod.name}, attempt ${attempt} of ${attempts}: ${describe(error)}`,
      );
      await sleep(RETRY_INTERVAL_MS);
    }
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
