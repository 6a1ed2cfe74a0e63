/** What becomes of a tool call by an agent's permissions. Pure: nothing is asked, kept or waited for. */
export { checkPermissions, type PermissionProblem } from './check-permissions.js';
export { type Decision, decide, explain, type ToolCall } from './decide.js';
export { describeDecision } from './describe.js';
export { exactRule } from './exact-rule.js';
