/**
 * References in values: `${NAME}` to a secret of the same folder, `${env.folder.folder.NAME}` to one of another. A
 * reference stays as written if the secret does not exist, if it leads back to itself, or if it exceeds a bound
 * (`wire/` "Reads").
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** The place of a value, or of the secret that a reference names. */
export interface Place {
  readonly environment: string
  readonly secretPath: string
  readonly name: string
}

/** The bounds of one expansion. What exceeds them stays as written. */
export interface Limits {
  /** How many references lead from the value to a secret, at most. Servers of 2024 follow 10, too. */
  readonly depth: number
  /** How many secrets are looked up. A folder rarely holds more. */
  readonly lookups: number
  /** How long an expanded value becomes, in UTF-16 units: 1 MiB, the largest request that a server accepts. */
  readonly length: number
}

export const defaultLimits: Limits = { depth: 10, lookups: 1000, length: 1024 * 1024 }

/** Longer than any environment, path and name together. */
const maximumReferenceLength = 1000

/** The references of one value that are replaced: more would block the event loop, and no real value has as many. */
const maximumReferences = 10_000

/**
 * The work that expansions may do. They run at the same time, so that each of them alone could not tell how much it is.
 */
export interface Work {
  /** Waits until the expansion may work on so many characters: timers and sockets get their turn in between. */
  readonly take: (characters: number) => Effect.Effect<void>
  /** Counts characters that an expansion made. */
  readonly made: (characters: number) => void
}

/** About 5 ms of work. */
const charactersPerTurn = 256 * 1024

export const makeWork = (): Work => {
  let turn = 0
  let used = 0
  const take: Work["take"] = (characters) =>
    Effect.suspend(() => {
      if (used < charactersPerTurn) {
        used += characters
        return Effect.void
      }
      const full = turn
      // `Effect.yieldNow` would only give other fibers their turn.
      return Effect.zipRight(
        Effect.sleep(Duration.zero),
        Effect.suspend(() => {
          if (turn === full) {
            turn += 1
            used = 0
          }
          return take(characters)
        })
      )
    })
  return {
    take,
    made: (characters) => {
      used += characters
    }
  }
}

export const areIn = (value: Redacted.Redacted<string>): boolean => Redacted.value(value).includes("${")

/**
 * Replaces the references in a text, and those in the values that they name.
 *
 * Looks up each secret once, nearest first, then expands each value once. So the work is linear in the size of the
 * values, however often they refer to each other.
 */
export const expand = <E>(
  text: string,
  place: Place,
  lookup: (place: Place) => Effect.Effect<Option.Option<string>, E>,
  limits: Limits = defaultLimits,
  work: Work = makeWork()
): Effect.Effect<string, E> =>
  Effect.gen(function*() {
    yield* work.take(text.length)
    const root = nodeOf(text, place, 0)
    const nodes = new Map([[idOf(place), root]])
    const missing = new Set<string>()
    let lookups = 0
    // The loop also visits the nodes that it adds, so the nearest come first.
    for (const { depth, targets } of nodes.values()) {
      if (depth >= limits.depth) break
      for (const { id, place } of targets) {
        if (lookups >= limits.lookups) break
        if (nodes.has(id) || missing.has(id)) continue
        lookups += 1
        const value = yield* lookup(place)
        if (Option.isNone(value)) {
          missing.add(id)
          continue
        }
        yield* work.take(value.value.length)
        nodes.set(id, nodeOf(value.value, place, depth + 1))
      }
    }
    for (const node of targetsFirst(root, nodes)) {
      yield* work.take(node.text.length)
      const expanded = expandedText(node, nodes, limits)
      node.expanded = expanded
      work.made(expanded.length)
    }
    return root.expanded ?? text
  })

/** A value with the references in it. */
interface Node {
  readonly text: string
  /** The least number of references that lead to it. */
  readonly depth: number
  readonly parts: ReadonlyArray<Part>
  /** The targets of its references, each once. */
  readonly targets: ReadonlyArray<Target>
  /** The text with its references replaced, once they are. */
  expanded: string | undefined
}

/** A reference in a text. */
interface Part {
  readonly start: number
  readonly end: number
  readonly target: Target
}

interface Target {
  readonly id: string
  readonly place: Place
}

const pattern = /\$\{([^${}]+)\}/g

const nodeOf = (text: string, place: Place, depth: number): Node => {
  const parts: Array<Part> = []
  const targets = new Map<string, Target>()
  for (const match of text.matchAll(pattern)) {
    if (parts.length >= maximumReferences) break
    const [written, reference = ""] = match
    if (reference.length > maximumReferenceLength) continue
    let target = targets.get(reference)
    if (target === undefined) {
      const named = placeOf(reference, place)
      target = { id: idOf(named), place: named }
      targets.set(reference, target)
    }
    parts.push({ start: match.index, end: match.index + written.length, target })
  }
  return { text, depth, parts, targets: [...targets.values()], expanded: undefined }
}

const placeOf = (reference: string, { environment, secretPath }: Place): Place => {
  const [first = "", ...rest] = reference.trim().split(".")
  const name = rest.pop()
  return name === undefined
    ? { environment, secretPath, name: first }
    : { environment: first, secretPath: `/${rest.join("/")}`, name }
}

const idOf = ({ environment, name, secretPath }: Place) => JSON.stringify([environment, secretPath, name])

/**
 * The nodes in depth-first postorder: each after the targets of its references, except for those that lead back to it.
 * Not recursive, since a chain may be as long as there are lookups.
 */
const targetsFirst = (root: Node, nodes: ReadonlyMap<string, Node>): ReadonlyArray<Node> => {
  const ordered: Array<Node> = []
  const visited = new Set([root])
  const path = [{ node: root, next: 0 }]
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const target = last.node.targets[last.next++]
    if (target === undefined) {
      ordered.push(last.node)
      path.pop()
      continue
    }
    const node = nodes.get(target.id)
    if (node !== undefined && !visited.has(node)) {
      visited.add(node)
      path.push({ node, next: 0 })
    }
  }
  return ordered
}

/** Replaces those references whose target is expanded, from left to right, as long as the text does not get too long. */
const expandedText = ({ parts, text }: Node, nodes: ReadonlyMap<string, Node>, limits: Limits): string => {
  let result = ""
  let copied = 0
  let length = text.length
  for (const { end, start, target } of parts) {
    const value = nodes.get(target.id)?.expanded
    if (value === undefined) continue
    const next = length - (end - start) + value.length
    if (next > limits.length) continue
    length = next
    result += text.slice(copied, start) + value
    copied = end
  }
  return copied === 0 ? text : result + text.slice(copied)
}
