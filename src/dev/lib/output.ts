// The local stack's output: one line a step, with its time, its level and its part.
import * as z from 'zod'
import { readableLine } from './readable-line.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Print = (part: string, message: string, level?: Level) => void

const nameWidth = 8
const levels = ['debug', 'info', 'warn', 'error'] as const
const logLine = z.object({ level: z.enum(levels) })
// Escape sequences, which wrangler prints even with colours off.
const ansi = new RegExp(String.raw`\u001B\[[0-9;?]*[A-Za-z]`, 'g')

/** Writes lines such as `12:00:00.123 info  postgres ready on port 8790` to `stream`. */
export function createPrint(stream: NodeJS.WritableStream): Print {
  return (part, message, level = 'info') => {
    const time = new Date().toISOString().slice(11, 23)
    stream.write(`${time} ${level.padEnd(5)} ${part.padEnd(nameWidth)} ${readableLine(message)}\n`)
  }
}

/** Writes one JSON object a line: the Worker's events as they are, and all other lines as the event `stack`. */
export function createJsonPrint(stream: NodeJS.WritableStream): Print {
  return (part, message, level = 'info') => {
    const isEvent = logLine.safeParse(parseLine(message)).success
    const event = { time: new Date().toISOString(), level, event: 'stack', part, message }
    stream.write(`${isEvent ? message : JSON.stringify(event)}\n`)
  }
}

/** The level of a child's line: from the line if it is a structured log, else by wrangler's marks, else `otherwise`. */
export function levelOf(line: string, otherwise: Level): Level {
  if (line.startsWith('{')) {
    const parsed = logLine.safeParse(parseLine(line))
    if (parsed.success) return parsed.data.level
  }
  if (line.includes('[ERROR]')) return 'error'
  return line.includes('[WARNING]') ? 'warn' : otherwise
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Splits a child's output into whole lines, without colours and without empty lines. */
export function splitLines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = ''
  return (chunk) => {
    const lines = `${rest}${chunk}`.replaceAll(ansi, '').split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') onLine(line.trimEnd())
  }
}
