/**
 * A table with one column for each era. A fifth era is one more column.
 *
 * @since 0.1.0
 */
import type { Era } from "../world/schemas.js"

/**
 * One value for each era.
 *
 * @since 0.1.0
 * @category models
 */
export type Columns<A> = { readonly [E in Era]: A }

/**
 * A row of the table, from the oldest era on. An era that is left out is like the one before it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const columns = <A>(
  of2024July: A,
  of2024October: A = of2024July,
  of2025: A = of2024October,
  of2026: A = of2025
): Columns<A> => ({ "2024-07": of2024July, "2024-10": of2024October, "2025": of2025, "2026": of2026 })
