import type { Bus } from '#lib/bus';
import type { FileOperation } from '#lib/contracts';
import { checkPath, decodeFiles } from '../agents/file-paths.js';
import { putFile, removeFile, takeFile } from './workspace-files.js';

type Undo = () => Promise<void>;
interface PlannedOperation {
  operation: FileOperation['operation'];
  path: string;
  content: Buffer;
}

/** Errors: VALIDATION_ERROR, before anything is touched. */
export function planFiles(files: readonly FileOperation[]): PlannedOperation[] {
  const contents = decodeFiles(
    'files',
    files.map(({ path, content = '', encoding }) => ({ path, content, encoding })),
  );
  return files.map(({ operation, path }, index) => {
    checkPath(`files.${index}.path`, path);
    return { operation, path, content: contents[index]?.content ?? Buffer.alloc(0) };
  });
}

/**
 * Carries out file operations in order, all or none: when one fails, those before it are taken back. The function it
 * gives takes all of them back, for a caller whose own part fails afterwards. Not promised: that nobody sees a file
 * in between, nor anything about directories made on the way.
 * Errors: ALREADY_EXISTS, NOT_FOUND and the other errors of the workspace's file requests.
 */
export async function applyFiles(bus: Bus, agentId: string, operations: readonly PlannedOperation[]): Promise<Undo> {
  const undos: Undo[] = [];
  const undoAll: Undo = async () => {
    for (const undo of undos.splice(0).reverse()) await undo();
  };
  try {
    for (const { operation, path, content } of operations) {
      const before = await takeFile(bus, agentId, path);
      const undo: Undo = async () => {
        if (before) await putFile(bus, agentId, path, before, { overwrite: true });
        else await removeFile(bus, agentId, path);
      };
      if (operation === 'delete') await removeFile(bus, agentId, path);
      else if (operation === 'create') await putFile(bus, agentId, path, content, { overwrite: false });
      else await putFile(bus, agentId, path, content, { overwrite: true, mustExist: true });
      undos.push(undo);
    }
  } catch (error) {
    await undoAll();
    throw error;
  }
  return undoAll;
}
