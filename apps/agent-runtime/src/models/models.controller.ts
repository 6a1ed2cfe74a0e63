import { Bus, Handles, LOGGER } from '#lib/bus';
import { type CallContext, ownCall } from '#lib/call-context';
import { checkModels, listModels, openAccountProviderKeys } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import { Controller, Inject, type OnApplicationBootstrap } from '@nestjs/common';
import type { z } from 'zod';
import { namesSecret } from '../vault/vault-headers.js';
import { ModelCatalogue } from './list-models.js';
import type { ProviderKeys } from './model-registry.js';

@Controller()
export class ModelsController implements OnApplicationBootstrap {
  constructor(
    private readonly bus: Bus,
    @Inject(ModelCatalogue) private readonly catalogue: ModelCatalogue,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Says which model answers agents that name none; the start waits for no provider. */
  onApplicationBootstrap(): void {
    void this.catalogue.platformDefault().then(({ model, problem }) => {
      if (problem) this.logger.warn({ problem }, 'no default model');
      else this.logger.info({ model }, 'default model');
    });
  }

  @Handles(checkModels)
  async check({ models, providerKeys }: z.output<typeof checkModels.input>, { accountId, requestId }: CallContext) {
    const account = accountId
      ? await this.bus.request(openAccountProviderKeys, { accountId }, ownCall(requestId))
      : { providerKeys: {} };
    const keys = withoutReferences({ ...account.providerKeys, ...providerKeys });
    const problems = await Promise.all(models.map((model) => this.catalogue.problemOf(model, keys)));
    return { problems: problems.map((problem) => problem ?? null) };
  }

  @Handles(listModels)
  async list(_: object, { accountId, requestId }: CallContext) {
    if (!accountId) return this.catalogue.list({});
    const { providerKeys } = await this.bus.request(openAccountProviderKeys, { accountId }, ownCall(requestId));
    return this.catalogue.list(withoutReferences(providerKeys));
  }
}

/** Lists are asked for with keys that are here: whose key is in the vault, nobody knows what it may use. */
const withoutReferences = (keys: ProviderKeys): ProviderKeys =>
  Object.fromEntries(Object.entries(keys).map(([provider, key]) => [provider, namesSecret(key) ? '' : key]));
