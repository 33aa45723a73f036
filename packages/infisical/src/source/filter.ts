/**
 * Filters of a list, by tags and by metadata. They are applied here and never sent: servers of 2024 ignore some of them,
 * no server applies them to imports, and a metadata filter on the wire cannot hold `,`, `=` or `|`.
 */
import type * as Location from "../model/Location.js"
import type { Details } from "../model/Secret.js"

type Filters = Pick<Location.Location, "metadata" | "tagSlugs">

/**
 * Whether a list has a secret: it has one of the tags, and all of the metadata. A secret counts as having only what a
 * response states. No server states the tags of an imported secret, so a filter by tags leaves imports out.
 */
export const isWanted = ({ metadata, tagSlugs }: Filters, details: Pick<Details, "metadata" | "tags">): boolean =>
  (tagSlugs.length === 0 || details.tags.some(({ slug }) => tagSlugs.includes(slug))) &&
  Object.entries(metadata).every(([key, value]) =>
    Object.hasOwn(details.metadata, key) && details.metadata[key] === value
  )

/** Whether a location leaves out any secrets. */
export const isFiltered = ({ metadata, tagSlugs }: Filters): boolean =>
  tagSlugs.length > 0 || Object.keys(metadata).length > 0

/** The location as it is requested: all secrets, with references as written. */
export const asRequested = (location: Location.Location): Location.Location => ({
  ...location,
  tagSlugs: [],
  metadata: {},
  expandReferences: false
})
