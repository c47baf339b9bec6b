// The Durable Object that counts the calls of a Plaid client under one limit, for all isolates. admission.ts decides.
import { DurableObject } from 'cloudflare:workers'
import {
  type Admission,
  createAdmissionControl,
  type LimitedCall,
  type LimitState,
  type AdmissionControl,
  type RejectedCall,
} from './admission.ts'

/** Interval at which expired entries are deleted, while there are any. */
const cleanMs = 120_000

export class PlaidQuota extends DurableObject {
  readonly #storage: DurableObjectStorage
  readonly #control: AdmissionControl
  #hasAlarm = false

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env)
    this.#storage = context.storage
    this.#control = createAdmissionControl(context.storage.kv, Date.now())
  }

  /** Awaits nothing between check and count. The platform delays the response until the writes are durable. */
  async admit(call: LimitedCall): Promise<Admission> {
    const admission = this.#control.admit(call, Date.now())
    await this.#ensureAlarm()
    return admission
  }

  async refused(rejected: RejectedCall): Promise<void> {
    this.#control.recordRejection(rejected, Date.now())
    await this.#ensureAlarm()
  }

  /** What the limit has used. */
  look(name: string): LimitState {
    return this.#control.look(name, Date.now())
  }

  override async alarm(): Promise<void> {
    this.#hasAlarm = false
    if (this.#control.clean(Date.now()) > 0) await this.#ensureAlarm()
  }

  async #ensureAlarm(): Promise<void> {
    if (this.#hasAlarm) return
    this.#hasAlarm = true
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + cleanMs)
  }
}
