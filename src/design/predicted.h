/* The report's member "predicted", and what stands beside it. */
#ifndef TS_PREDICTED_H
#define TS_PREDICTED_H
#include <jansson.h>

#include "emit/system.h"
#include "plan/predict.h"

json_t *ts_resources_json(const ts_resources *r);
json_t *ts_predicted_json(const ts_prediction *prediction, const ts_cost *cost);

/* Members of a report of a system for events of n hits: mode, device (names, each once), predicted, and device_has or, of several rings,
   parts. device: [rings], where each is. New reference. */
json_t *ts_predicted_system(ts_arena *arena, const ts_system *system, const ts_device *const *device, int n);

/* Those of one part: device, cuts, predicted, device_has. */
json_t *ts_predicted_part(const ts_system *system, int i, const ts_device *device, int n);

#endif
