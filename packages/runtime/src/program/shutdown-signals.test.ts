import { expect } from 'chai';
import { onShutdownSignals } from './shutdown-signals.ts';

describe('onShutdownSignals', () => {
  it('hands on each signal until it is disposed', () => {
    const listeners = new Map<string, (signal: NodeJS.Signals) => void>();
    const reasons: string[] = [];
    const signals = onShutdownSignals(
      {
        on: (signal, listener) => listeners.set(signal, listener),
        off: (signal, listener) => {
          if (listeners.get(signal) === listener) listeners.delete(signal);
        },
      },
      (reason) => reasons.push(reason),
    );
    listeners.get('SIGTERM')!('SIGTERM');
    listeners.get('SIGINT')!('SIGINT');
    expect(reasons).deep.equal(['SIGTERM', 'SIGINT']);
    signals[Symbol.dispose]();
    expect(listeners.size).equal(0);
  });
});
