// What a route is: its description, which the API document contains, its request and its response.
import type * as z from 'zod'
import type { RouteAudit } from '../audit/actions.ts'
import type { ApplicationScope } from '../auth/key-scopes.ts'
import type { metricsScope } from '../auth/token-rights.ts'
import type { Ctx } from '../context.ts'
import type { ErrorCode } from '../errors.ts'
import type { RouteEvent } from '../monitoring/security-events.ts'
import type { Purpose } from '../privacy/purposes.ts'
import type { RouteLimit } from '../ratelimit/policies.ts'
import type { EntityTag } from './conditional.ts'
import type { KeyRule } from './key-access.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Access = 'public' | 'user' | 'admin'
/** Status → schema of the body, or null for none. */
export type Answers = Readonly<Record<number, z.ZodType | null>>
/** A strict object, or the raw bytes. */
export type BodySchema = z.ZodObject | 'bytes'

/** The part of a route that the API description contains. */
export interface RouteDescription {
  readonly id: string
  readonly method: Method
  /** With parameters as `{name}`. */
  readonly path: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly access: Access
  /** The rate limit of the route, in addition to the global one. */
  readonly limit?: RouteLimit
  /** The security event in the log. Routes for administrators have `admin_read` and `admin_change`. */
  readonly event?: RouteEvent
  /** What the route records in the audit trail. Reads of administrators record `admin_read`, unless it says `none`. */
  readonly audit?: RouteAudit
  /** For reads of administrators: the path names one item, so the read is in the trail of the item's user too. */
  readonly about?: 'item'
  /** Also refuses tokens whose session has ended. Routes for administrators always do this. */
  readonly session?: 'live'
  /** The purpose of the route, which is refused for users who do not allow it. */
  readonly purpose?: Purpose
  /** The scope of tokens that may call this route and those with the same scope only. */
  readonly scope?: typeof metricsScope
  /** What an API key needs; without it, the scope of the method. */
  readonly keys?: KeyRule
  /** Whether read-only tokens and keys may call the route although it is no GET: it changes no data of the user. */
  readonly isRead?: true
  /**
   * The scope with which a key of an application calls this route without a user, for the application itself. Without it, such
   * a key has to name a user.
   */
  readonly ofApplications?: ApplicationScope
  /**
   * Whether the route responds while the database is unavailable: that the session has ended, or that the person was erased, is
   * then not known. Only for routes that say nothing about a person.
   */
  readonly servesWithoutDatabase?: true
  /** Whether a repeated request with the same `Idempotency-Key`, which `headers` contain, gets the stored response. */
  readonly idempotency?: 'stored'
  readonly params?: z.ZodObject | undefined
  readonly query?: z.ZodObject | undefined
  readonly headers?: z.ZodObject | undefined
  readonly body?: BodySchema | undefined
  /** An absent body counts as `{}`. */
  readonly bodyOptional?: boolean
  readonly answers: Answers
  /** In addition to those of its access, its input and the platform. */
  readonly errors: readonly ErrorCode[]
  /** The media type of a success; the default is JSON. */
  readonly mediaType?:
    | 'text/plain; charset=utf-8'
    | 'text/plain; version=0.0.4; charset=utf-8'
    | 'text/markdown; charset=utf-8'
  /** The media types of a success that is a stream of bytes. The response's headers contain the actual one. */
  readonly streams?: readonly string[]
  /** `Cache-Control` of a success; the default is `no-store`. */
  readonly cacheControl?: string
  /**
   * Whether responses have an entity tag. Only for reads whose one batch shows nothing but what the tag is made of
   * (./conditional.ts).
   */
  readonly entityTag?: EntityTag
}

/** A request before parsing. */
export interface IncomingRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly readBody: () => Promise<Uint8Array>
}

/** Headers of one response, in addition to the common ones; a list is sent as one header each. */
export type OwnHeaders = Readonly<Record<string, string | string[]>>

export interface Outgoing {
  readonly status: number
  readonly headers?: OwnHeaders
  /** Undefined for a response without a body. */
  readonly body: unknown
}

export interface Route extends RouteDescription {
  /** @throws AppError of the declared codes; anything else is a defect */
  respond(ctx: Ctx, request: IncomingRequest): Promise<Outgoing>
}
