/** Durations as people write them. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** `"5 minutes"`, milliseconds or a Duration; written back as milliseconds. */
export const DurationInput = Schema.transformOrFail(
  Schema.Union(Schema.String, Schema.Number, Schema.DurationFromSelf),
  Schema.DurationFromSelf,
  {
    strict: true,
    decode: (input, _options, ast) =>
      // Of a negative number Effect makes no time at all.
      Option.match(Option.filter(Duration.decodeUnknown(input), () => !/^-|^NaN$/.test(String(input))), {
        onNone: () => ParseResult.fail(new ParseResult.Type(ast, input, "must be a duration, such as \"5 minutes\"")),
        onSome: ParseResult.succeed
      }),
    encode: (duration) => ParseResult.succeed(Duration.toMillis(duration))
  }
)
