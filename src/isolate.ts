// The services of this isolate.
import { parseConfig } from './config/config.ts'
import type { Services } from './context.ts'
import { type Bindings, createServices } from './services.ts'

export type Env = Bindings & Readonly<Record<string, unknown>>

/** One record of services for each `env`; a changed secret comes with a new `env`. */
const made = new WeakMap<Env, Services>()

/** @throws AppError `misconfigured` */
export function servicesFor(env: Env): Services {
  const services = made.get(env) ?? createServices(parseConfig(env), env)
  made.set(env, services)
  return services
}
