import { runTool } from '@ambient/linux';
import type { ToolOptions } from '@ambient/linux';
import { RulesError } from './errors.ts';

/**
 * Runs one of the tools that set and list rules to its end.
 * @param step what it is for, as an operator would say it: appears in errors
 * @returns its standard output
 * @throws RulesError ERR_RULES_TOOL_MISSING, ERR_RULES_STEP with what the tool printed
 */
export async function runCommand(
  step: string,
  argv: readonly [string, ...string[]],
  options: Pick<ToolOptions, 'input' | 'namespace'> = {},
): Promise<string> {
  const outcome = await runTool(argv, options);
  switch (outcome.kind) {
    case 'done':
      return outcome.output;
    case 'failed':
      throw new RulesError('ERR_RULES_STEP', `${step}: ${argv.join(' ')} ${outcome.how}: ${outcome.said}`);
    case 'not-started':
      throw new RulesError(
        'ERR_RULES_TOOL_MISSING',
        `${step}: cannot run ${argv[0]}; the agent's image must hold it`,
        { cause: outcome.cause },
      );
  }
}
