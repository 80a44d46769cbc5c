import { z } from 'zod';
import { coverageSchema, modelSchema, modelsSchema, trainingRunsSchema } from './model-schemas.ts';
import type { Route } from './routes.ts';
import { limitQuery } from './schemas.ts';
import { coverageShape, trainingRunsShape } from './shapes.ts';

const promotionInput = z
  .object({ reason: z.string().trim().min(1, 'say why').max(500) })
  .meta({ id: 'PromotionInput', example: { reason: 'better in shadow for two weeks' } });

const params = z.object({
  version: z.string().regex(/^[\w.-]{1,64}$/, 'a version as /v1/models lists it'),
});

/** Trained versions and their runs. */
export const MODEL_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/models',
    operationId: 'getModels',
    summary: 'Trained model versions and their aliases',
    answer: modelsSchema,
    scope: 'models:read',
    touches: 'nobody',
    handle: async ({ reads }) => {
      const models = await reads.models();
      return { json: { total: models.length, models } };
    },
  },
  {
    method: 'get',
    path: '/v1/models/{version}',
    operationId: 'getModel',
    summary: 'A version: how it was judged, what its gates measured, what it was made from',
    params,
    answer: modelSchema,
    scope: 'models:read',
    touches: 'nobody',
    handle: async ({ reads }, { params: { version } }) => ({ json: await reads.model(version) }),
  },
  {
    method: 'post',
    path: '/v1/models/{version}/promote',
    operationId: 'promoteModel',
    needs: 'leader',
    summary: 'Makes a version the champion, where its gates and its shadow let it; the next decision uses it',
    params,
    body: promotionInput,
    answer: z.object({ champion: z.string(), previous: z.string().nullable() }).meta({ id: 'Promotion' }),
    scope: 'models:promote',
    touches: 'nobody',
    handle: async ({ reads }, { params, body, caller }) => {
      const { reason } = body as z.infer<typeof promotionInput>;
      const previous = await reads.promote(params.version, caller?.name ?? '', reason);
      return { json: { champion: params.version, previous }, status: 200 };
    },
  },
  {
    method: 'get',
    path: '/v1/coverage',
    operationId: 'getCoverage',
    summary: 'How the published forecasts of the model in use hold: exceedances, alarms, drift',
    answer: coverageSchema,
    scope: 'models:read',
    touches: 'nobody',
    handle: async ({ reads }) => ({ json: coverageShape(await reads.coverage()) }),
  },
  {
    method: 'get',
    path: '/v1/training/runs',
    operationId: 'getTrainingRuns',
    summary: 'Training runs, newest first',
    query: z.object({ limit: limitQuery }),
    answer: trainingRunsSchema,
    scope: 'models:read',
    touches: 'nobody',
    handle: async ({ reads }, { query }) => ({
      json: trainingRunsShape(await reads.trainingRuns(query.limit as number)),
    }),
  },
];
