/* Verilator's C++ in few files: each of the many that it writes reads the same headers, which takes the compiler longer than most of them.
 */
#ifndef TS_UNITY_H
#define TS_UNITY_H
#include "base/arena.h"
#include "base/err.h"

/* Writes files into `work` that include those which Vring_classes.mk there lists: one a processor where there is enough to do, more where
   one would be too large. Returns the assignments that give them to Vring.mk instead, NULL ends them; NULL with a message where the list
   is not what it should be. */
const char *const *ts_unity_write(ts_arena *arena, const char *work, int processors, ts_err *err);

#endif
