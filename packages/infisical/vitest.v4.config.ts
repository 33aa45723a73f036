import { onSource } from "../../vitest.shared.js"

export default onSource("v4")
