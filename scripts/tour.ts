/**
 * `npm start`: a tour of the mesh, with a Kubernetes API, the control plane and real traffic between network namespaces.
 * Every claim that it prints is checked as it is printed. On a terminal it stays up with a live table of connections until
 * Ctrl-C.
 *
 * Exit code: 0 if everything that was shown held, 1 if not, 128 + signal if it was interrupted on its way.
 */
import { accessSync, constants as fileModes } from 'node:fs';
import { constants } from 'node:os';
import { assertNoLeak, takeLeakSnapshot } from '@ambient/testkit/lab';
import { showLiveTable } from './tour/live/show.ts';
import { Report } from './tour/report.ts';
import { manifestPath } from './tour/scene.ts';
import type { Scene } from './tour/scene.ts';
import { certificates } from './tour/steps/certificates.ts';
import { policySteps } from './tour/steps/policies.ts';
import { requestSteps } from './tour/steps/requests.ts';
import { smallCluster } from './tour/steps/small-cluster.ts';
import { Style } from './tour/style.ts';
import { showWayIn } from './tour/way-in.ts';
import type { ServerHello } from './tour/wire/tls-records.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const COLUMNS_WITHOUT_TERMINAL = 90;
const WHAT_FOLLOWS =
  'A tour of an ambient mesh: control plane and node proxy. Everything below happens now, between network namespaces of this machine ' +
  'that exist for the tour alone; every line with ✓ or ✗ is checked as it is printed.';
const goOn = [
  'npm test                a fresh clone proves itself',
  'npm run bench           beside HAProxy, in numbers',
  'docs/architecture.md    how it is built',
  'docs/settings.md        what ztunnel takes from its environment',
];

const { env, stdout } = process;
/** Told by scripts/setup/isolate.ts. */
const wayIn = { enter: env['AMBIENT_WAY_IN'] ?? '', root: env['AMBIENT_ROOT_OUTSIDE'] ?? '' };
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

/** Logs and sockets go into the /run that the task has for itself, where even a crash leaves nothing. */
function keepFilesInOwnRun(): void {
  try {
    accessSync('/run', fileModes.W_OK);
    env['TMPDIR'] = '/run';
  } catch {
    // Started by hand, without namespaces of its own: the directory for temporary files then, which the next run sweeps.
  }
}

async function main(): Promise<void> {
  let scene: Scene | undefined;
  let hello: ServerHello | undefined;
  const theScene = (): Scene => scene!;
  const interrupted = (signal: NodeJS.Signals): void => {
    stdout.write('\n');
    process.exit(128 + constants.signals[signal]);
  };
  // Registered before the namespaces exist: the tour, not the default action of a signal, decides how it ends.
  for (const signal of SIGNALS) process.on(signal, interrupted);
  stdout.on('error', () => process.exit(1)); // whoever read the tour has gone

  keepFilesInOwnRun();
  try {
    report.title('ambient', WHAT_FOLLOWS);
    await report.run([
      smallCluster(wayIn, (started) => (scene = started)),
      ...requestSteps(theScene, (seen) => (hello = seen)),
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
    await scene?.destroy();
  }
  if (scene !== undefined) await proveGone(scene.mesh.lab.runId);
  process.exitCode = report.allHeld ? 0 : 1;
}

function showHowToPlay(scene: Scene): void {
  report.say('The pods stay until Ctrl-C, and the table below follows what you do from another terminal:');
  showWayIn(report, scene, wayIn, [
    `apply -f ${manifestPath('close-feed')}`,
    'delete authorizationpolicy --namespace shop --all',
  ]);
  stdout.write('\n');
}

async function proveGone(runId: string): Promise<void> {
  await assertNoLeak(takeLeakSnapshot({}), { runId });
  if (isTerminal) stdout.write('\n   The pods, their proxies and everything that they made are gone.\n\n');
}

await main();
