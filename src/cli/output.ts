/** Results to stdout, words for people to stderr; JSON with `--json` or where stdout is no terminal. */
import { PinholeError } from '../base/errors.ts'
import { Exit, type ExitCode, exitCodeOf } from './exit.ts'

/** Where a command writes to. */
export interface Output {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
}

/** A row of a result: what a terminal shows as a table and everything else gets as JSON. */
export type Row = Readonly<Record<string, string | number | boolean | undefined>>

/** Whether results are JSON. */
export const wantsJson = ({ stdout }: Output, json: boolean): boolean => json || !stdout.isTTY

/** On one line and without what a terminal would act upon: names and logs can hold what somebody else has sent. */
export const plain = (value: Row[string]): string =>
  String(value ?? '').replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')

/** Writes one result. */
export function writeResult(output: Output, row: Row, json: boolean): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(row)}\n`)
  for (const [key, value] of Object.entries(row)) {
    if (value !== undefined) output.stdout.write(`${key}  ${plain(value)}\n`)
  }
}

/** Writes several results: a table with the names of the columns, or an array. */
export function writeRows(output: Output, rows: readonly Row[], json: boolean): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(rows)}\n`)
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const lines = [columns, ...rows.map((row) => columns.map((column) => plain(row[column])))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  for (const line of lines) {
    const cells = line.map((cell, at) => cell.padEnd(widths[at] ?? 0))
    output.stdout.write(`${cells.join('  ').trimEnd()}\n`)
  }
}

/** An answer of the hub as a terminal shows it. */
export interface Table {
  readonly rows: readonly Row[]
  /** What to say when there are no rows. */
  readonly none: string
  /** Words below the table, for people. */
  readonly remark?: string
}

/** Writes an answer of the hub: as it came in JSON, as a table on a terminal. */
export function writeAnswer(
  output: Output,
  json: boolean,
  answer: unknown,
  tableOf: () => Table,
): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(answer)}\n`)
  const { rows, none, remark } = tableOf()
  if (rows.length > 0) writeRows(output, rows, false)
  else output.stderr.write(`${none}\n`)
  if (remark !== undefined) output.stderr.write(`${remark}\n`)
}

/** Writes what went wrong, where, what to do about it and where that is explained; returns the exit code. */
export function writeError(output: Output, reason: unknown, json: boolean): ExitCode {
  const error = reason instanceof PinholeError ? reason : undefined
  const message = reason instanceof Error ? reason.message : String(reason)
  if (json) {
    const { code, advice, docs } = error ?? {}
    output.stderr.write(`${JSON.stringify({ error: { code, message, advice, docs } })}\n`)
  } else {
    const lines = message.split('\n')
    const [first = ''] = lines
    const head = lines.length === 1 ? `pinhole: ${first}` : ['pinhole:', ...lines].join('\n  ')
    const help = error ? `\n${error.advice}\n${error.code}, see ${error.docs}` : ''
    output.stderr.write(`${head}${help}\n`)
  }
  return error ? exitCodeOf(error.code) : Exit.general
}
