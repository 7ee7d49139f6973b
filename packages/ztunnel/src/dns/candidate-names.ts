/** A hostname of the mesh that a client may mean by a name. */
export interface CandidateName {
  readonly name: string;
  /** The client's name without the search domain that was taken off to get here; undefined if none was. */
  readonly stripped: string | undefined;
}

export interface NameRules {
  /** Such as `cluster.local`. */
  readonly clusterDomain: string;
  /** Domains that clients append to names; undefined: those that Kubernetes gives to pods of the namespace. */
  readonly searchDomains: readonly string[] | undefined;
}

/**
 * What a client of `namespace` may mean by `name`, the likeliest first (facts §7): the name itself, then what is short for in
 * Kubernetes, then the same for what is left when a search domain is taken off. Nothing comes twice.
 */
export function candidateNames(name: string, namespace: string, rules: NameRules): CandidateName[] {
  const candidates: CandidateName[] = [];
  const add = (candidate: string, stripped: string | undefined): void => {
    for (const { name: known } of candidates) if (known === candidate) return;
    candidates.push({ name: candidate, stripped });
  };
  const services = `svc.${rules.clusterDomain}`;
  const addAll = (short: string, stripped: string | undefined): void => {
    add(short, stripped);
    switch (labelCount(short)) {
      case 1:
        add(`${short}.${namespace}.${services}`, stripped);
        break;
      case 2:
        add(`${short}.${services}`, stripped);
        add(`${short}.${namespace}.${services}`, stripped); // a service whose name has a dot
        break;
      case 3:
        if (short.endsWith('.svc')) add(`${short}.${rules.clusterDomain}`, stripped);
        add(`${short}.${services}`, stripped);
        break;
      case 4:
        if (short.endsWith('.svc')) add(`${short}.${rules.clusterDomain}`, stripped);
        break;
    }
  };
  addAll(name, undefined);
  const searchDomains = rules.searchDomains ?? [`${namespace}.${services}`, services, rules.clusterDomain];
  for (const domain of searchDomains) {
    const rest = name.length - domain.length - 1;
    if (rest <= 0 || !name.endsWith(domain) || name.charCodeAt(rest) !== DOT) continue;
    const stripped = name.slice(0, rest);
    addAll(stripped, stripped);
  }
  return candidates;
}

const DOT = 46;

function labelCount(name: string): number {
  let count = 1;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) count++;
  return count;
}
