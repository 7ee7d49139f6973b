/** What of a process carries signals; `process` is one. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
}

/**
 * Hands SIGTERM (Kubernetes) and SIGINT (a terminal) to `shutdown`, each time one comes: the first asks for a graceful end,
 * the second is of somebody who does not want to wait.
 */
export function onShutdownSignals(source: SignalSource, shutdown: (reason: string) => void): Disposable {
  const listener = (signal: NodeJS.Signals): void => shutdown(signal);
  source.on('SIGTERM', listener);
  source.on('SIGINT', listener);
  return {
    [Symbol.dispose]() {
      source.off('SIGTERM', listener);
      source.off('SIGINT', listener);
    },
  };
}
