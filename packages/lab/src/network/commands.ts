import { runTool } from '@ambient/linux';
import type { NetworkNamespace } from '@ambient/linux';

import { LabNetworkError } from './errors.ts';

/**
 * Runs one of the system's tools to its end, inside a network namespace.
 *
 * @param step what it is for, as it stands in errors
 * @returns its standard output
 * @throws LabNetworkError LAB_NETWORK_TOOL, LAB_NETWORK_STEP with what the tool printed
 */
export async function runInNamespace(
  namespace: NetworkNamespace,
  step: string,
  argv: readonly [string, ...string[]],
  input = '',
): Promise<string> {
  const outcome = await runTool(argv, { namespace, input });
  switch (outcome.kind) {
    case 'done':
      return outcome.output;
    case 'failed':
      throw new LabNetworkError(
        'LAB_NETWORK_STEP',
        `${step}: ${argv.join(' ')} ${outcome.how}: ${outcome.said}`,
      );
    case 'not-started':
      throw new LabNetworkError('LAB_NETWORK_TOOL', `${step}: cannot run ${argv[0]}; install it`, {
        cause: outcome.cause,
      });
  }
}
