/** A part of the cluster does not become ready. */
export class LabStartError extends Error {
  override readonly name = 'LabStartError';
  readonly code = 'LAB_START';
}
