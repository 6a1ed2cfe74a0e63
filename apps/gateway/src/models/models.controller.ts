import { Bus } from '#lib/bus';
import { listModels } from '#lib/contracts';
import { Controller, Get } from '@nestjs/common';
import { Endpoint, Tag } from '../http/endpoint.js';

/** spec: runtime.md, "Models" */
@Tag('Models')
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly bus: Bus) {}

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List the models that agents can use',
    description:
      'What `configuration.model` takes: models of the providers for which the account or the platform has a key, those of an OpenAI-compatible server, and `demo`. Providers are asked; one that does not answer in time is left out, with a note.',
    responseDescription: 'The models.',
    response: listModels.output,
  })
  list() {
    return this.bus.request(listModels, {});
  }
}
