/**
 * `npm start`: a tour of the mesh in a Kubernetes cluster of two nodes, which is made of namespaces of this machine. Every claim
 * that it prints is checked as it is printed. On a terminal it stays up with a live table of connections until Ctrl-C.
 *
 * Options: `--directory DIR` for the cluster's files, which are removed at the end (a new one below that for temporary files);
 * `--public-url URL` by which the cluster's API is reached from the machine's own network, through a socket in that directory.
 *
 * Exit code: 0 if everything that was shown held, 1 if not, 128 + signal if it was interrupted on its way.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { joinEntrance } from '@ambient/lab/cluster';
import { showLiveTable } from './tour/live/show.ts';
import { Report } from './tour/report.ts';
import { manifestPath } from './tour/scene.ts';
import type { Scene } from './tour/scene.ts';
import { certificates } from './tour/steps/certificates.ts';
import { comingAndGoing, oneLabel } from './tour/steps/enrolment.ts';
import { policySteps } from './tour/steps/policies.ts';
import { onTheWire, requestInTheClear } from './tour/steps/requests.ts';
import { twoNodes } from './tour/steps/two-nodes.ts';
import { Style } from './tour/style.ts';
import { showWayIn } from './tour/way-in.ts';
import type { Recording } from './tour/wire/record.ts';
import type { ServerHello } from './tour/wire/tls-records.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const COLUMNS_WITHOUT_TERMINAL = 90;
const WHAT_FOLLOWS =
  'A tour of an ambient mesh: control plane, node agents and node proxies in a cluster of two nodes. Everything below happens now, ' +
  'between namespaces of this machine that exist for the tour alone; every line with ✓ or ✗ is checked as it is printed.';
const goOn = [
  'packages/cli/bin/ambientctl lab up   the same cluster, to keep and to try things in',
  'npm test                             a fresh clone proves itself',
  'npm run bench                        beside HAProxy, in numbers',
  'docs/architecture.md                 how it is built',
];

const { env, stdout } = process;
const { values: options } = parseArgs({
  options: { directory: { type: 'string' }, 'public-url': { type: 'string' } },
});
const publicUrl = options['public-url'];
const isTerminal = stdout.isTTY && (env['CI'] ?? '') === '';
const style = new Style(isTerminal && (env['NO_COLOR'] ?? '') === '' && stdout.hasColors());
const report = new Report(
  {
    isTerminal,
    get columns() {
      return stdout.columns || COLUMNS_WITHOUT_TERMINAL;
    },
    write: (text) => stdout.write(text),
  },
  style,
);

async function main(): Promise<void> {
  let scene: Scene | undefined;
  let hello: ServerHello | undefined;
  let tunnelled: Recording<unknown> | undefined;
  const theScene = (): Scene => scene!;
  const interrupted = (signal: NodeJS.Signals): void => {
    stdout.write('\n');
    process.exit(128 + constants.signals[signal]);
  };
  // Registered before anything exists: the tour, not the default action of a signal, decides how it ends.
  for (const signal of SIGNALS) process.on(signal, interrupted);
  stdout.on('error', () => process.exit(1)); // whoever read the tour has gone

  const directory = makeDirectory();
  // Processes and namespaces end with this process, files do not.
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  using doors = new DisposableStack();
  try {
    report.title('ambient', WHAT_FOLLOWS);
    await report.run([
      twoNodes({ directory, publicUrl, path: env['PATH'] ?? '' }, async (started) => {
        scene = started;
        if (publicUrl !== undefined) doors.use(await joinEntrance(directory, started.cluster.api.url));
      }),
      requestInTheClear(theScene),
      oneLabel(theScene, (recording) => (tunnelled = recording)),
      onTheWire(
        theScene,
        () => tunnelled!,
        (seen) => (hello = seen),
      ),
      ...comingAndGoing(theScene),
      ...policySteps(theScene),
      certificates(theScene, () => hello),
    ]);
    report.summary(goOn);
    if (isTerminal && report.allHeld) {
      for (const signal of SIGNALS) process.off(signal, interrupted);
      showHowToPlay(theScene());
      await showLiveTable(theScene(), style, stdout, SIGNALS);
    }
  } finally {
    await scene?.[Symbol.asyncDispose]();
  }
  proveGone();
  process.exitCode = report.allHeld ? 0 : 1;
}

/** A directory that only this user may look into. */
function makeDirectory(): string {
  if (options.directory === undefined) return mkdtempSync(join(tmpdir(), 'ambient-tour-'));
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  return options.directory;
}

function showHowToPlay(scene: Scene): void {
  if (publicUrl === undefined) return;
  report.say(
    'The cluster stays until Ctrl-C, and the table below follows what you do from another terminal:',
  );
  showWayIn(report, scene, [
    'label namespace shop istio.io/dataplane-mode-',
    `apply -f ${manifestPath('close-feed')}`,
    'delete authorizationpolicy --namespace shop --all',
  ]);
  stdout.write('\n');
}

/** Pods, nodes and whatever they have started are processes below this one. */
function proveGone(): void {
  const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === process.pid);
  report.check(left.length === 0, 'nodes, pods and everything that they have started are gone');
  stdout.write('\n');
}

function parentOf(pid: string): number | undefined {
  try {
    // Name, state, parent; the name may have blanks (proc_pid_stat(5)).
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) \S /s, '')
        .split(' ')[0],
    );
  } catch {
    return undefined; // it has ended meanwhile
  }
}

await main();
