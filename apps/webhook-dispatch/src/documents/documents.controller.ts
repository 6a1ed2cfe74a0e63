import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { applyWebhooks } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { DocumentsService } from './documents.service.js';

@Controller()
export class DocumentsController {
  constructor(private readonly documents: DocumentsService) {}

  @Handles(applyWebhooks)
  apply(input: z.output<typeof applyWebhooks.input>, context: CallContext) {
    return this.documents.apply(accountOf(context), input);
  }
}
