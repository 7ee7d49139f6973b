// Public surface of @ambient/runtime: the life of a process.
export type { Clock } from './clock/clock.ts';
export { realClock } from './clock/clock.ts';
export { ManualClock } from './clock/manual-clock.ts';
export { sleep } from './clock/sleep.ts';
export { isUntimelyCertificate } from './clock/untimely-certificate.ts';

export type { BackoffOptions } from './backoff/backoff.ts';
export { Backoff } from './backoff/backoff.ts';
export { RetryTimer } from './backoff/retry-timer.ts';

export type { DrainOutcome, DrainRegistration, DrainWatcher } from './drain/drain.ts';
export { Drain } from './drain/drain.ts';

export { Readiness } from './readiness/readiness.ts';

export type {
  DerivedDefault,
  SettingDefinition,
  SettingProblem,
  SettingsSchema,
  SettingsSource,
} from './settings/schema.ts';
export { defineSettings, derived, SettingsError } from './settings/schema.ts';
export type { SettingType } from './settings/setting-types.ts';
export {
  bool,
  bytes,
  custom,
  duration,
  int,
  list,
  oneOf,
  optional,
  port,
  text,
  ValueError,
} from './settings/setting-types.ts';
export { formatDuration } from './settings/duration.ts';
export { collectByPrefix, environmentUnder, processEnvironment, settingsFrom } from './settings/sources.ts';
export { renderSettingsTable } from './settings/markdown.ts';
export { parseYaml, YamlSyntaxError } from './settings/yaml-document.ts';

export type { LogDirectives, LogLevel, LogThreshold } from './log/levels.ts';
export { LogLevelError, LogLevels } from './log/levels.ts';
export { logLevels, logSettings } from './log/log-settings.ts';
export type { LogFields, LogFormat, LogValue } from './log/line-format.ts';
export { bare, describeError, formatLine } from './log/line-format.ts';
export type { LogSink } from './log/logger.ts';
export { Logger, logTimeMs, silentSink } from './log/logger.ts';
export { LineBatch } from './log/line-batch.ts';
export type { LineDestination } from './log/log-output.ts';
export { LogOutput, openLogOutput } from './log/log-output.ts';

export type { MetricDefinition, SeriesDelta } from './metrics/definition.ts';
export { MetricUsageError } from './metrics/definition.ts';
export type { SeriesHandle } from './metrics/counter-table.ts';
export { CounterTable } from './metrics/counter-table.ts';
export type { SeriesLimits } from './metrics/series-budget.ts';
export { overflowValue, SeriesBudget } from './metrics/series-budget.ts';
export { MetricsRegistry } from './metrics/registry.ts';
