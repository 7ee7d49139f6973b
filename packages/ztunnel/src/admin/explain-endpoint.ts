import { ExplainError, explainInbound, explainOutbound } from './explain.ts';
import type { ExplainPlace } from './explain.ts';
import { textReply } from './http-endpoint.ts';
import type { Endpoint } from './http-endpoint.ts';

const usage = `usage: GET /explain?from=NAMESPACE/POD&to=IP:PORT                                  (on the client's node)
       GET /explain?at=NAMESPACE/POD&source=IP&authority=HOST:PORT&identity=SPIFFE (on the server's node, by HBONE)
       GET /explain?at=NAMESPACE/POD&source=IP&to=IP:PORT                          (there, in plain text)`;

/** `/explain`: what would happen to a connection, and why. */
export function explainEndpoint(place: ExplainPlace): Endpoint {
  return {
    method: 'GET',
    path: '/explain',
    doc: 'what would happen to a connection, and why: ?from=NAMESPACE/POD&to=IP:PORT, ?at=NAMESPACE/POD&source=IP&...',
    handle(query) {
      try {
        const answer = query.has('at')
          ? explainInbound(place, query)
          : query.has('from')
            ? explainOutbound(place, query)
            : undefined;
        if (answer === undefined) return textReply(400, usage);
        return {
          status: 200,
          contentType: 'application/json',
          body: `${JSON.stringify(answer, null, 2)}\n`,
        };
      } catch (error) {
        if (!(error instanceof ExplainError)) throw error;
        return textReply(400, `${error.message}\n${usage}`);
      }
    },
  };
}
