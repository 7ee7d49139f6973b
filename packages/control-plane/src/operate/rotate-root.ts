import { caSecretNames, rotateAnnotation } from '../ca/authority-keeper.ts';
import { readRotationRecord } from '../ca/rotation-record.ts';
import type { RotationRecord } from '../ca/rotation-record.ts';
import type { SecretApi } from '../ca/secret-api.ts';
import { OperatorError } from './operator-error.ts';
import { waitUntil } from './patience.ts';
import type { OperatorContext } from './patience.ts';

export interface RotateRootOptions extends OperatorContext {
  readonly secrets: SecretApi;
  /** Sets an annotation of a Secret. */
  readonly annotate: (secret: string, name: string, value: string) => Promise<void>;
  /** Stay until the old root is gone. */
  readonly follow: boolean;
}

const takeUpMs = 60_000;
/** Two overlaps of the longest lives that anybody sets. */
const followMs = 400 * 24 * 3600 * 1000;

/**
 * Asks for a new self-signed root, and waits until it is handed out.
 *
 * @throws OperatorError; CaMaterialError, and the API's errors
 */
export async function rotateRoot(options: RotateRootOptions): Promise<void> {
  const { clock, say, annotate, follow } = options;
  await checkState(options);
  const wish = new Date(clock.nowMs()).toISOString();
  await annotate(caSecretNames.selfSigned, rotateAnnotation, wish);
  say(`asked for a new root (annotation ${rotateAnnotation}: ${wish})`);
  const heeded = await waitUntil(clock, takeUpMs, async () => {
    const record = await readRecord(options.secrets);
    return record?.heededRequest === wish ? record : undefined;
  });
  if (heeded === undefined)
    throw new OperatorError(
      'not-taken-up',
      `no control plane took it up within ${takeUpMs / 1000} s. It will when one leads: see that one runs, and its log.`,
    );
  say(describe(heeded));
  if (!follow) {
    say(
      'it signs after the overlap (CA_ROOT_OVERLAP), and the old one goes after another; the log tells of each step',
    );
    return;
  }
  let told = describe(heeded);
  await waitUntil(clock, followMs, async () => {
    const record = await readRecord(options.secrets);
    if (record === undefined) return undefined;
    const text = describe(record);
    if (text !== told) say(text);
    told = text;
    return record.state.waiting === undefined && record.state.retired.length === 0 ? true : undefined;
  });
}

/** @throws OperatorError unless there is a root of our own that signs, and no rotation under way */
async function checkState({ secrets }: RotateRootOptions): Promise<void> {
  const place = (name: string): string => `Secret ${secrets.namespace}/${name}`;
  const record = await readRecord(secrets);
  if (record === undefined)
    throw new OperatorError(
      'no-ca',
      `there is no ${place(caSecretNames.rotation)}: no control plane has led here yet. Check --kubeconfig and --namespace.`,
    );
  const pluggedIn = (await secrets.read(caSecretNames.pluggedIn)) !== undefined;
  if (pluggedIn || record.state.signing.intermediatesPem.length > 0)
    throw new OperatorError(
      'plugged-in',
      `the mesh has a CA of yours (${caSecretNames.pluggedIn}). Replace the content of ${place(caSecretNames.pluggedIn)}, or of the mounted files, by the new CA: the control plane goes over to it with overlap.`,
    );
  if (record.state.waiting !== undefined)
    throw new OperatorError('rotating', `${describe(record)}. Ask again when that is done.`);
  if ((await secrets.read(caSecretNames.selfSigned)) === undefined)
    throw new OperatorError(
      'no-ca',
      `there is no ${place(caSecretNames.selfSigned)}. A running control plane restores it; ask again then.`,
    );
}

async function readRecord(secrets: SecretApi): Promise<RotationRecord | undefined> {
  const secret = await secrets.read(caSecretNames.rotation);
  if (secret === undefined) return undefined;
  return readRotationRecord(secret.files, `Secret ${secrets.namespace}/${secret.name}`);
}

function describe({ state: { signing, waiting, retired } }: RotationRecord): string {
  const parts = [`root ${signing.anchorId} signs`];
  if (waiting !== undefined) parts.push(`root ${waiting.authority.anchorId} is handed out and will sign`);
  for (const { authority } of retired)
    parts.push(`root ${authority.anchorId} signs no more and is still trusted`);
  return parts.join('; ');
}
