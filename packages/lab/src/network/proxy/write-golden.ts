/** Writes the golden files anew: `node packages/lab/src/network/proxy/write-golden.ts`. Read the difference. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { goldenService, goldenSlices, goldenSpecs } from './golden.test-data.ts';
import { noRules, serviceRules } from './node-rules.ts';
import { renderChange, renderTable } from './nft-table.ts';
import { proxiedPorts } from './service-ports.ts';

const folder = join(import.meta.dirname, 'golden');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'table.nft'), renderTable(['10.244.0.0/16', 'fd44::/48']));
for (const [name, spec] of Object.entries(goldenSpecs)) {
  const service = { ...goldenService, spec: { ...goldenService.spec, ...spec } };
  const rules = serviceRules('shop/catalog', proxiedPorts({ service, slices: goldenSlices }), 'node-1');
  writeFileSync(join(folder, `${name}.nft`), renderChange(noRules, rules));
}
