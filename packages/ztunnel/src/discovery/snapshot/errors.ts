/** Why a snapshot of the mesh is not used, or not written. Stable. */
export type SnapshotErrorCode =
  | 'SNAPSHOT_KEY'
  | 'SNAPSHOT_UNREADABLE'
  | 'SNAPSHOT_DAMAGED'
  | 'SNAPSHOT_FOREIGN'
  | 'SNAPSHOT_OLD'
  | 'SNAPSHOT_UNWRITABLE';

const remedies: Readonly<Record<SnapshotErrorCode, string>> = {
  SNAPSHOT_KEY:
    'the key must be 32 bytes in a file that only its owner can read; remove both files to start afresh',
  SNAPSHOT_UNREADABLE: 'see the permissions of AMBIENT_SNAPSHOT_PATH',
  SNAPSHOT_DAMAGED: 'it will be written anew when the control plane is back; nothing has to be done',
  SNAPSHOT_FOREIGN: 'give every node a directory of its own that stays on the node',
  SNAPSHOT_OLD: 'AMBIENT_SNAPSHOT_MAX_AGE says how old it may be; see also the clock of this node',
  SNAPSHOT_UNWRITABLE:
    'see the permissions and the free space of the directories of AMBIENT_SNAPSHOT_PATH and AMBIENT_SNAPSHOT_KEY_PATH',
};

/** The snapshot of the mesh cannot be used. Without it the process starts as it would have without the setting. */
export class SnapshotError extends Error {
  readonly code: SnapshotErrorCode;
  constructor(code: SnapshotErrorCode, what: string, options?: ErrorOptions) {
    super(`${what} (${remedies[code]})`, options);
    this.name = 'SnapshotError';
    this.code = code;
  }
}
