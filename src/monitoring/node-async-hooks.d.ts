// Declares the part of Node's async_hooks that the Worker uses. Node's own types would add Node's globals to the
// Worker's code.
declare module 'node:async_hooks' {
  export class AsyncLocalStorage<Store> {
    getStore(): Store | undefined
    run<Result>(store: Store, work: () => Result): Result
  }
}
