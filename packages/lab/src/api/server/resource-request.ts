import type { Target, User } from '../operations/request.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';

/** A request for objects, authenticated. */
export interface ResourceRequest {
  readonly target: Target;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}
