import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, FastCheck, Schema } from "effect"
import { Wire } from "effect-infisical"

const schema = Schema.typeSchema(Wire.EncryptedSecret)
const guard = Wire.isEncryptedSecret
const is = Schema.is(schema)

/** What a field can be changed to. */
const anything = FastCheck.oneof(FastCheck.anything(), FastCheck.constantFrom(undefined, null, "", 0, "shared"))

describe("What tells an encrypted secret", () => {
  it.prop("passes what the schema makes", [Arbitrary.make(schema)], ([secret]) => {
    assert.isTrue(guard(secret))
  })

  it.prop(
    "decides as the schema does, whatever a field is changed to or whichever is left out",
    [
      Arbitrary.make(schema),
      FastCheck.constantFrom(...Object.keys(Wire.EncryptedSecret.fields)),
      anything,
      FastCheck.boolean()
    ],
    ([secret, field, value, without]) => {
      const changed: Record<string, unknown> = { ...secret, [field]: value, unknownField: 1 }
      if (without) delete changed[field]
      assert.strictEqual(guard(changed), is(changed))
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop("decides as the schema does of anything at all", [FastCheck.anything()], ([input]) => {
    assert.strictEqual(guard(input), is(input))
  })
})
