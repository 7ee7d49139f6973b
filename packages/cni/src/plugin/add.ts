import { join } from 'node:path';
import { decideEnrolment } from '../eligibility.ts';
import type { Enrolment } from '../eligibility.ts';
import { agentFiles, requestCapture, shipLogs } from './agent-client.ts';
import { addRequest } from './agent-request.ts';
import type { AddRequest } from './agent-request.ts';
import type { PluginConfig, PreviousResult } from './config.ts';
import type { Call } from './environment.ts';
import { CniError, cniCodes } from './errors.ts';
import { PluginLog } from './plugin-log.ts';

type Sleep = (ms: number) => Promise<unknown>;

/** Pods of the agent's own DaemonSet begin so: who has to start for others to start is never held up. */
const AGENT_POD_PREFIX = 'istio-cni-node-';
const RETRY_INTERVAL_MS = 1000;
const ATTEMPTS = 2;
const PATIENT_ATTEMPTS = 30;
/** One agent follows another, or takes over from one that was killed, within that time: four seconds. */
const FIND_ATTEMPTS = 21;
const FIND_INTERVAL_MS = 200;

/**
 * Captures the pod of an ADD, if it belongs to the mesh.
 * @returns the result of the plugins before
 * @throws CniError 7, 100 to 112
 */
export async function add(call: Call, config: PluginConfig, sleep: Sleep): Promise<PreviousResult> {
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
    log.write('error', `${call.pod?.namespace}/${call.pod?.name}: ${textOf(error)}`);
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
  sleep: Sleep,
): Promise<void> {
  if (pod === undefined || !config.ambientEnabled) return;
  if (pod.namespace === config.agentNamespace && pod.name.startsWith(AGENT_POD_PREFIX)) return;
  if (config.excludedNamespaces.includes(pod.namespace)) return;
  const name = `${pod.namespace}/${pod.name}`;
  const request = addRequest(netns, pod, result);
  let known: WithoutAgent = {};
  if (config.agentDecides) {
    const decideNow = (): Promise<Enrolment> => decide(pod, config, log, sleep);
    const answer = await askAgent(config, request, decideNow, (text) =>
      log.write('warn', `${name}: ${text}`),
    );
    if (answer === 'done')
      return log.write('debug', `${name}: captured, or not for the mesh, as the agent knows`);
    known = answer;
  }
  const enrolment = known.enrolment ?? (await decide(pod, config, log, sleep));
  if (!enrolment.enrolled) return log.write('debug', `${name}: not for the mesh, ${enrolment.reason}`);
  if (known.refusal !== undefined && known.refusal.code !== cniCodes.agentMissing) throw known.refusal;
  await captureWhenFound(config, request, sleep);
  log.write('info', `${name}: captured`);
}

/** Has the agent capture a pod that is for the mesh; where none is found, the next one is waited for a while. */
async function captureWhenFound(
  { agentRunDirectory }: PluginConfig,
  request: AddRequest,
  sleep: Sleep,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await requestCapture(agentRunDirectory, request);
    } catch (error) {
      const isMissing = error instanceof CniError && error.code === cniCodes.agentMissing;
      if (!isMissing || attempt === FIND_ATTEMPTS) throw error;
      await sleep(FIND_INTERVAL_MS);
    }
  }
}

/** What is known of a pod that the agent has not captured: why, and whether it is for the mesh. */
interface WithoutAgent {
  readonly refusal?: CniError;
  readonly enrolment?: Enrolment;
}

type AgentAnswer = 'done' | WithoutAgent;

/**
 * Has the agent decide. While it says nothing, the Kubernetes API is asked beside it: what is not for the mesh must not wait for
 * an agent that hangs, and what is must.
 * @returns `done`: it is captured, or not for the mesh
 */
async function askAgent(
  { agentRunDirectory }: PluginConfig,
  request: AddRequest,
  decideNow: () => Promise<Enrolment>,
  warn: (text: string) => void,
): Promise<AgentAnswer> {
  const notWanted = new AbortController();
  const silent = Promise.withResolvers<'silent'>();
  const asked = requestCapture(agentRunDirectory, request, {
    onSilent: () => silent.resolve('silent'),
    signal: notWanted.signal,
  }).then(
    (): AgentAnswer => 'done',
    (error: unknown): AgentAnswer => {
      if (!(error instanceof CniError)) throw error;
      return { refusal: error };
    },
  );
  const first = await Promise.race([asked, silent.promise]);
  if (first !== 'silent') return first;
  warn('the node agent says nothing, so the Kubernetes API is asked whether to wait for it');
  const decided = decideNow();
  const free = decided.then(
    async (enrolment): Promise<AgentAnswer> => (enrolment.enrolled ? asked : { enrolment }),
    () => asked,
  );
  const second = await Promise.race([asked, free]);
  if (second === 'done') return second;
  if (second.enrolment !== undefined) {
    notWanted.abort(new Error('the pod is not for the mesh'));
    return second;
  }
  // Without an agent, or when it does not know enough, pods outside the mesh start all the same.
  return { ...second, enrolment: await decided };
}

/** A pod about which nothing can be known is not started: it would be outside the mesh without anybody noticing. */
async function decide(
  pod: NonNullable<Call['pod']>,
  config: PluginConfig,
  log: PluginLog,
  sleep: Sleep,
): Promise<Enrolment> {
  // Only here: TLS takes as long to load as the rest of the plugin takes to run.
  const { readEnrolmentFacts } = await import('./kube-reader.ts');
  const kubeconfig = join(config.agentRunDirectory, agentFiles.kubeconfig);
  const attempts = config.retryDetection ? PATIENT_ATTEMPTS : ATTEMPTS;
  for (let attempt = 1; ; attempt++) {
    try {
      return decideEnrolment(await readEnrolmentFacts(kubeconfig, pod), config);
    } catch (error) {
      if (attempt === attempts) throw error;
      log.write('warn', `${pod.namespace}/${pod.name}, attempt ${attempt} of ${attempts}: ${textOf(error)}`);
      await sleep(RETRY_INTERVAL_MS);
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
