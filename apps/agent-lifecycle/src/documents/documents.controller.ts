import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { applyAgents, exportAgent } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { DocumentsService } from './documents.service.js';

@Controller()
export class DocumentsController {
  constructor(private readonly documents: DocumentsService) {}

  @Handles(exportAgent)
  export({ agentId }: { agentId: string }, context: CallContext) {
    return this.documents.export({ agentId, accountId: accountOf(context) });
  }

  @Handles(applyAgents)
  apply({ document, dryRun }: z.output<typeof applyAgents.input>, context: CallContext) {
    return this.documents.apply(accountOf(context), document, dryRun);
  }
}
