import type { OperationTexts } from './text.ts'

export const privacyTexts: OperationTexts = {
  exportData: {
    description:
      'Returns everything that is stored about the user, as a stream. JSON lines: the first line has `format`, `format_version`, `exported_at` and `user`; each other line has a `table` and a `row`; the last line has `complete: true` and the number of `rows` of each table. With `format=csv`, a zip archive with a CSV file for each table, and `manifest.json` with the same members at its end. A stream that breaks off lacks this end and is not complete. Amounts are exact decimals. In CSV, text that a spreadsheet would execute as a formula begins with an apostrophe. Sealed credentials and hashes of secrets are not exported. Each page of rows is consistent in itself; a row that changes during the export is exported in its old or its new state, and a transaction possibly in both, the new one last.',
    parameters: { format: '`jsonl` for JSON lines, `csv` for a zip archive of CSV files.' },
    responses: { 200: 'The export.' },
  },
}
