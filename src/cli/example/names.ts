// The examples, in the order of docs/client.md.
export const names = ['server', 'page', 'events', 'copy'] as const
export type ExampleName = (typeof names)[number]
export const isExample = (text: string): text is ExampleName => names.some((name) => name === text)
