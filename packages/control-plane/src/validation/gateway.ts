import { FieldReader, quote } from './field-reader.ts';
import { portNumber } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';

/** Classes whose Gateways are parts of the mesh, not ways into it. */
const waypointClass = 'istio-waypoint';
const eastWestClass = 'istio-east-west';
const hbonePort = 15008;

/** Checks of a Gateway (gateway.networking.k8s.io) by what this mesh needs of waypoints and east-west gateways. */
export function validateGateway(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const gateway = new FieldReader(object, '', problems);
  const spec = gateway.at('spec');
  const className = spec.at('gatewayClassName').required();
  if (className !== waypointClass && className !== eastWestClass) return problems.all;
  const listeners = spec.at('listeners').items();
  const names = new Set<string>();
  let hbone = 0;
  for (const listener of listeners) {
    if (!listener.isObject()) continue;
    const name = listener.at('name').required();
    if (name !== undefined && names.has(name))
      listener.at('name').error(`the name ${quote(name)} stands there twice`);
    if (name !== undefined) names.add(name);
    portNumber(listener.at('port'));
    if (listener.at('protocol').required() === 'HBONE') hbone++;
    meshListener(listener, className);
  }
  if (hbone === 0)
    spec
      .at('listeners')
      .error(`needs a listener with protocol HBONE on port ${hbonePort}: nothing else reaches this gateway`);
  if (className === waypointClass) waypointFor(gateway);
  return problems.all;
}

function meshListener(listener: FieldReader, className: string): void {
  const port = listener.at('port').number();
  const protocol = listener.at('protocol').string();
  if (protocol === 'HBONE') {
    if (port !== undefined && port !== hbonePort)
      listener.at('port').error(`HBONE is spoken on port ${hbonePort}, not on ${port}`);
    if (className === eastWestClass && listener.at('tls').present) {
      const mode = listener.at('tls').at('mode').string();
      if (mode !== undefined && mode !== 'Terminate')
        listener.at('tls').at('mode').error('an east-west gateway terminates TLS: set Terminate');
    }
  } else if (className === waypointClass)
    listener.at('protocol').warning('a waypoint serves HBONE alone, so this listener is not accepted');
  const namespaces = listener.at('allowedRoutes').at('namespaces');
  const from = namespaces.at('from').oneOf(['All', 'Selector', 'Same', 'None'] as const);
  if (from === 'Selector' && !namespaces.at('selector').present)
    namespaces.at('selector').error('must be set for from: Selector, or no namespace may use this gateway');
}

function waypointFor(gateway: FieldReader): void {
  const label = gateway
    .at('metadata')
    .at('labels')
    .entries()
    .find(([key]) => key === 'istio.io/waypoint-for')?.[1];
  label?.oneOf(['service', 'workload', 'all', 'none'] as const);
}
