import type { ToolSet } from 'ai';
import { bashTool } from './bash.js';
import { listFilesTool } from './list-files.js';
import { readFileTool } from './read-file.js';
import type { ToolContext } from './tool-context.js';
import { ToolGate } from './tool-gate.js';
import { writeFileTool } from './write-file.js';

/** The built-in tools of one turn, by the name the model calls. */
export function builtInTools(context: ToolContext): ToolSet {
  const gate = new ToolGate();
  return {
    bash: bashTool(context, gate),
    read_file: readFileTool(context, gate),
    write_file: writeFileTool(context, gate),
    list_files: listFilesTool(context, gate),
  };
}
