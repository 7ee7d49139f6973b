/** Why a container could not be made or reached; `code` is stable and becomes the reason of the container's state. */
export type ContainerErrorCode =
  'CreateContainerConfigError' | 'ErrImagePull' | 'RunContainerError' | 'CONTAINER_NOT_RUNNING';

export class ContainerError extends Error {
  override readonly name = 'ContainerError';
  readonly code: ContainerErrorCode;

  constructor(code: ContainerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why a pod has no network namespace yet. */
export type SandboxErrorCode =
  | 'SANDBOX_NAMESPACE'
  | 'SANDBOX_NO_NETWORK_CONFIG'
  | 'SANDBOX_PLUGIN'
  | 'SANDBOX_PLUGIN_MISSING'
  | 'SANDBOX_NO_ADDRESS';

export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: SandboxErrorCode;

  constructor(code: SandboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A volume whose contents cannot be had yet. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly code = 'VOLUME_NOT_READY';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
