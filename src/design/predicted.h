/* The report's member "predicted". */
#ifndef TS_PREDICTED_H
#define TS_PREDICTED_H
#include <jansson.h>

#include "plan/predict.h"
#include "ring/cost.h"

json_t *ts_resources_json(const ts_resources *r);
json_t *ts_predicted_json(const ts_prediction *prediction, const ts_cost *cost);

#endif
