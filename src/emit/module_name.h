/* Names of the modules that are made for a model. */
#ifndef TS_MODULE_NAME_H
#define TS_MODULE_NAME_H
#include "base/arena.h"

/* "MODEL_SUFFIX" as an identifier of Verilog and as a file's name: letters, digits and underscores, not longer than TS_MODULE_NAME_MAX.
   A longer name is cut and ends in a hash of the whole, so that two models keep two names. It is no reserved word: none of IEEE 1364 or
   1800 ends in a suffix that is used here. Nor is it one of rtl/ or tb/: those begin with ts_. */
enum { TS_MODULE_NAME_MAX = 60 };
char *ts_module_name(ts_arena *arena, const char *model, const char *suffix);

#endif
