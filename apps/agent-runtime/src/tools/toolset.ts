import type { AgentConfiguration } from '#lib/contracts';
import type { ToolSet } from 'ai';
import { askHumanTool } from './ask-human.js';
import { bashTool } from './bash.js';
import { checkBudgetTool } from './check-budget.js';
import { editFileTool } from './edit-file.js';
import { listFilesTool } from './list-files.js';
import { memoryTools } from './memory.js';
import { readFileTool } from './read-file.js';
import { readMessagesTool } from './read-messages.js';
import { scheduleTools } from './schedules.js';
import { searchFilesTool } from './search-files.js';
import { sendMessageTool } from './send-message.js';
import type { ToolContext } from './tool-context.js';
import { ToolLock } from './tool-lock.js';
import { waitTool } from './wait.js';
import { writeFileTool } from './write-file.js';

/**
 * The built-in tools of one turn, by the name the model calls. `waiting` gives how many messages wait. Each tool's file
 * holds its `zodSchema` once for all turns: the SDK keeps the JSON Schema it derives with that object, and deriving it
 * took longer than the rest of a short turn.
 */
export function builtInTools(context: ToolContext, configuration: AgentConfiguration, waiting: () => number): ToolSet {
  const lock = new ToolLock();
  return {
    bash: bashTool(context, lock),
    read_file: readFileTool(context, lock),
    write_file: writeFileTool(context, lock),
    edit_file: editFileTool(context, lock),
    list_files: listFilesTool(context, lock),
    search_files: searchFilesTool(context, lock),
    ...memoryTools(context, lock, configuration.memoryConfig ?? {}),
    wait: waitTool(waiting),
    read_messages: readMessagesTool(context),
    send_message: sendMessageTool(context),
    check_budget: checkBudgetTool(context),
    ...scheduleTools(context),
    ask_human: askHumanTool(),
  };
}
