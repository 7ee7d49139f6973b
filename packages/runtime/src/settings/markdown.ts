import type { SettingDefinition, SettingsSchema } from './schema.ts';
import { envNames, isDerived } from './schema.ts';

function cell(content: string): string {
  return content.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function defaultCell<T>(definition: SettingDefinition<T>): string {
  const value = definition.default;
  if (isDerived(value)) return cell(value.rule);
  if (value === undefined || value === null) return 'unset';
  const written = definition.type.render(value);
  return written === '' ? 'empty' : cell(`\`${written}\``);
}

function row<T>(definition: SettingDefinition<T>): string {
  const names = envNames(definition)
    .map((name) => `\`${name}\``)
    .join(', else ');
  return `| ${names} | ${cell(definition.type.name)} | ${defaultCell(definition)} | ${cell(definition.doc)} |`;
}

/** One Markdown section of a schema: a heading of the given level and a table of its settings. */
export function renderSettingsTable<T extends object>(schema: SettingsSchema<T>, headingLevel = 2): string {
  const rows: string[] = [];
  for (const key in schema.definitions) rows.push(row(schema.definitions[key]));
  return [
    `${'#'.repeat(headingLevel)} ${schema.title}`,
    '',
    '| Variable | Kind | Default | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
