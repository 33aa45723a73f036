/** The one table that is printed. */
import { type Measurement, median, quantile } from "./Measurement.js"

const headings = ["what", "beside", "median", "quartiles", "range", "budget", "verdict", "from"]

/** Renders measurements, one line for each. */
export const render = (measurements: ReadonlyArray<Measurement>): string => {
  const rows = [headings, ...measurements.map(cells)]
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .flatMap((row, index) => {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
      return index === 0 ? [line, widths.map((width) => "─".repeat(width)).join("  ")] : [line]
    })
    .join("\n")
}

const cells = ({ basis, beside, budget, samples, unit, what }: Measurement): ReadonlyArray<string> => {
  const show = (value: number) => `${significant(value)}${unit}`
  const from = (least: number, most: number) => least === most ? "" : `${show(least)} – ${show(most)}`
  return [
    what,
    beside,
    show(median(samples)),
    from(quantile(samples, 0.25), quantile(samples, 0.75)),
    from(Math.min(...samples), Math.max(...samples)),
    budget === undefined ? "" : show(budget),
    budget === undefined ? "a limit" : median(samples) <= budget ? "met" : "not met",
    basis
  ]
}

/** Three digits that mean something, and no exponent. */
export const significant = (value: number): string => String(Number(value.toPrecision(3)))
