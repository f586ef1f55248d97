/* What the formats of a compiled model do to each of its tensors, on events. */
#ifndef TS_FLOW_PROFILE_H
#define TS_FLOW_PROFILE_H
#include "flow/session.h"
#include "search/profile.h"

/* Runs the float and the integer model of a compiled directory on the source's events; goes to the directory's report.json, too, as member
   "profile". NULL with a message: directory or events are not what they should be, no event has a hit, too little memory for one. */
const ts_profile *ts_profile_directory(ts_arena *arena, const char *directory, const ts_event_source *source, ts_err *err);

/* A table for people, of all tensors or of the worst twenty. */
void ts_profile_print(const ts_profile *profile, bool all, FILE *out);

#endif
