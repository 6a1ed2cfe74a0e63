import { Handles } from '#lib/bus';
import { listModels } from '#lib/contracts';
import { Controller, Inject } from '@nestjs/common';
import { ModelCatalogue } from './list-models.js';

@Controller()
export class ModelsController {
  constructor(@Inject(ModelCatalogue) private readonly catalogue: ModelCatalogue) {}

  @Handles(listModels)
  list() {
    return this.catalogue.list();
  }
}
