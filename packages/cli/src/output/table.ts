/**
 * Rows as columns of text, each as wide as its widest cell and `padding` blanks more; the last one is not padded. This is how Go's
 * tabwriter does it for istioctl and kubectl.
 */
export function formatTable(rows: readonly (readonly string[])[], padding = 1): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      if (column < row.length - 1) widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]! + padding)))
      .join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}
