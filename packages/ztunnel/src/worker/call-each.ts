/**
 * Goes on with connections that have waited for something. A defect in one of them must not leave the others waiting, nor
 * end the worker.
 * @param onFault told of what `goOn` throws
 */
export function callEach<T>(
  waiting: Iterable<T>,
  goOn: (waiter: T) => void,
  onFault: (error: unknown) => void,
): void {
  for (const waiter of waiting) {
    try {
      goOn(waiter);
    } catch (error) {
      onFault(error);
    }
  }
}
