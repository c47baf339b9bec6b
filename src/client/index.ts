// The public interface of the client.
export { type Client, type ClientOptions, createClient } from './client.ts'
export type { FeedOptions, FeedPage } from './feed.ts'
export { ConnectionError, FeedExpiredError, type ProblemCode, ProblemError, type ProblemField } from './problem.ts'
export { newIdempotencyKey } from './send.ts'
export type * from './schema.ts'
export { problemCodes } from './schema.ts'
export {
  type AccessToken,
  cookieSession,
  type GetToken,
  type RefreshTokenStore,
  type SessionOptions,
  storedSession,
} from './tokens.ts'
export type { AnswerOf, CallOptions, ListPath, Method, Page, PathOf, RouteOf, RowOf } from './types.ts'
export { type EventHeaders, SignatureError, verify, type VerifyOptions } from './verify.ts'
