import type { Target, User } from '../operations/request.ts';
import type { HttpRequest, HttpResponse, Upgrade } from './exchange.ts';

/** A request for objects, authenticated. */
export interface ResourceRequest {
  readonly target: Target;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** Of a request that asks for another protocol. A response that is sent all the same refuses it. */
  readonly upgrade?: Upgrade;
}
