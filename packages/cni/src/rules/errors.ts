/** Why rules are not as they should be. Stable. */
export type RulesErrorCode =
  'ERR_RULES_TOOL_MISSING' | 'ERR_RULES_STEP' | 'ERR_RULES_HALF_SET' | 'ERR_RULES_UNSUPPORTED';

/** Rules could not be read, set or removed. The text names the step, and what the tool or the kernel said. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  readonly code: RulesErrorCode;

  constructor(code: RulesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
