import { Bus, type CallContext, Handles, ownCall } from '#lib/bus';
import { listModels, openAccountProviderKeys } from '#lib/contracts';
import { Controller, Inject } from '@nestjs/common';
import { ModelCatalogue } from './list-models.js';

@Controller()
export class ModelsController {
  constructor(
    private readonly bus: Bus,
    @Inject(ModelCatalogue) private readonly catalogue: ModelCatalogue,
  ) {}

  @Handles(listModels)
  async list(_: object, { accountId, requestId }: CallContext) {
    if (!accountId) return this.catalogue.list({});
    const { providerKeys } = await this.bus.request(openAccountProviderKeys, { accountId }, ownCall(requestId));
    return this.catalogue.list(providerKeys);
  }
}
