/** CSV (RFC 4180) that a spreadsheet may open: no cell of it is a formula. */

const LINE_END = '\r\n'

/** One line, its end included. */
export const csvLine = (cells: readonly (string | number | boolean)[]): string =>
  cells.map((cell) => quoted(unarmed(String(cell)))).join(',') + LINE_END

/** Spreadsheets run what begins so; an apostrophe makes it text (OWASP, CSV injection). */
const unarmed = (text: string): string => (/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text)

const quoted = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
