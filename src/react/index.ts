// The public interface of the React package.
export type { LinkMetadata, Mode, Purpose, State } from './machine.ts'
export { type CreatePlaid, loadPlaid, type PlaidError, type PlaidHandler, type PlaidOptions } from './plaid.ts'
export type { Storage } from './storage.ts'
export { type ConnectBank, type ConnectBankOptions, useConnectBank } from './use-connect-bank.ts'
