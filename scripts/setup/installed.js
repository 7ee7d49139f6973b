/**
 * Exits 0 if node_modules holds what package-lock.json asks for, 1 if `npm ci` must run.
 *
 * Compares contents, not times: npm records what it installed in node_modules/.package-lock.json, and writes it last, so
 * an interrupted installation is seen as well. Plain JavaScript, because the machine's own Node.js (18 or newer) runs it.
 *
 * Usage: node scripts/setup/installed.js x64|arm64
 */
import { existsSync, readFileSync } from 'node:fs';

const cpu = process.argv[2];
const packagesIn = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

function isInstalled() {
  const installedFile = 'node_modules/.package-lock.json';
  if (!existsSync(installedFile)) return false;
  const wanted = packagesIn('package-lock.json');
  const installed = packagesIn(installedFile);
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/')) continue;
    const found = installed[path];
    if (found === undefined) {
      // npm leaves out what is for other platforms; of those for this one, the two that carry binaries must be there.
      if (entry.optional !== true || path.endsWith(`-linux-${cpu}`)) return false;
    } else if (found.version !== entry.version || found.integrity !== entry.integrity) {
      return false;
    } else if (entry.link !== true && !existsSync(path)) {
      return false;
    }
  }
  return existsSync(`node_modules/node-linux-${cpu}/bin/node`);
}

let complete = false;
try {
  complete = isInstalled();
} catch (error) {
  process.stderr.write(`node_modules cannot be read, so it is installed again: ${error.message}\n`);
}
process.exit(complete ? 0 : 1);
