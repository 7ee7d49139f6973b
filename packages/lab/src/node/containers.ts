import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** A container that has been started at least once, as `kubectl logs`, `exec` and `port-forward` need it. */
export interface RunningContainer {
  /** Of the present run, in the format of the CRI (`TIMESTAMP stdout F line`); older lines are in `PATH.1`. */
  readonly logPath: string;
  /** Of the run before; undefined if it was never restarted. */
  readonly previousLogPath: string | undefined;
  readonly running: boolean;
  /**
   * Starts another program inside the container's namespaces.
   *
   * @throws ContainerError CONTAINER_NOT_RUNNING
   */
  spawn(argv: readonly string[], options: { readonly tty: boolean; readonly stdin: boolean }): ChildProcess;
  /** A TCP connection to a port of the loopback of the pod; the socket tells by its error why there is none. */
  connect(port: number): Socket;
}

export interface ContainerDirectory {
  /** @param container undefined: the pod's default container */
  find(namespace: string, pod: string, container: string | undefined): RunningContainer | undefined;
}
