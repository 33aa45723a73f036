/**
 * What the server answers: statuses and bodies, in the words of each era.
 *
 * @since 0.1.0
 */
export * from "./accessAnswers.js"
export * from "./folderAnswers.js"
export * from "./moveAnswers.js"
export * from "./requestAnswers.js"
export { always, type Answer, ok, type Said, type ValidationIssue } from "./response.js"
export * from "./secretAnswers.js"
